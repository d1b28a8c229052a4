"""The space that a study searches: five loss weights, the learning rate and the kind of schedule."""

import warnings
from collections.abc import Mapping
from typing import Any

from optuna import Trial
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from search.settings import BaselineSettings, SpaceSettings

LOSSES = ("encoder", "decoder", "reconstruction", "perceptual", "seraena")

Parameters = dict[str, Any]

#: Where a parameter of the study stands in the settings.
PLACES = {name: f"losses.{name}" for name in LOSSES} | {
    "learning_rate": "optimizer.learning_rate",
    "schedule": "schedule.kind",
}


def distributions(space: SpaceSettings, perceptual: bool) -> dict[str, BaseDistribution]:
    """Return Optuna's distributions by parameter name; without LPIPS the perceptual weight is left out."""
    names = [name for name in (*LOSSES, "learning_rate") if perceptual or name != "perceptual"]
    ranges: dict[str, BaseDistribution] = {name: log_uniform(getattr(space, name)) for name in names}
    return ranges | {"schedule": CategoricalDistribution(space.schedule)}


def log_uniform(bounds: tuple[float, float]) -> FloatDistribution:
    """A range in which each factor of ten is as likely as any other."""
    return FloatDistribution(low=bounds[0], high=bounds[1], log=True)


def sample(trial: Trial, space: Mapping[str, BaseDistribution], left_out: list[str]) -> Parameters:
    """Ask Optuna for a value of every parameter but those left out, which are loss weights of 0."""
    with warnings.catch_warnings():
        # A baseline may lie outside the searched ranges: it is there to be compared with.
        warnings.filterwarnings("ignore", message="Fixed parameter")
        sampled = {name: suggest(trial, name, kind) for name, kind in space.items() if name not in left_out}
    return complete(sampled)


def suggest(trial: Trial, name: str, kind: BaseDistribution) -> Any:
    """Ask Optuna for one value."""
    if isinstance(kind, FloatDistribution):
        return trial.suggest_float(name, kind.low, kind.high, log=kind.log)
    assert isinstance(kind, CategoricalDistribution), f"the space has floats and choices, not {kind}"
    return trial.suggest_categorical(name, kind.choices)


def complete(params: Mapping[str, Any]) -> Parameters:
    """Return all seven parameters: a loss weight that a trial does not have is 0, in one fixed order."""
    return {name: params.get(name, 0.0) for name in PLACES}


def baseline_parameters(baseline: BaselineSettings, perceptual: bool) -> tuple[Parameters, list[str]]:
    """Return a baseline as parameters to enqueue and the names left out, because a logarithmic range cannot hold their 0."""
    values = baseline.model_dump()
    if not perceptual:
        values["perceptual"] = 0.0
    left_out = [name for name in LOSSES if values[name] == 0]
    return {name: value for name, value in values.items() if name not in left_out}, left_out


def changes(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes of settings ("table.key": value) that a trial's parameters mean."""
    return {PLACES[name]: value for name, value in parameters.items()}
