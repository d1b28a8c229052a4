"""Which parameters matter, by Optuna's two evaluators."""

from typing import TYPE_CHECKING

from optuna import Study, create_study
from optuna.distributions import FloatDistribution
from optuna.importance import (
    BaseImportanceEvaluator,
    FanovaImportanceEvaluator,
    PedAnovaImportanceEvaluator,
    get_param_importances,
)
from optuna.trial import FrozenTrial, TrialState

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Below this number of complete trials, importances say more about luck than about parameters (docs/facts.md 2).
RELIABLE_TRIALS = 20
#: Below this number there is nothing to compare.
FEWEST_TRIALS = 4


def comparable(study: Study) -> Study | None:
    """The complete trials that have every parameter within its range, as a study in memory; None where they are too few.

    Optuna looks only at parameters that every trial has: one baseline without a weight would hide that weight for all.
    Nor can it hold a baseline outside the searched ranges.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    names = {name for trial in complete for name in trial.params}
    whole = [trial for trial in complete if trial.params.keys() == names and in_ranges(trial)]
    if len(whole) < FEWEST_TRIALS or len({trial.value for trial in whole}) < 2:
        return None
    among = create_study(direction=study.direction)
    among.add_trials(whole)
    return among


def in_ranges(trial: FrozenTrial) -> bool:
    """Whether all numbers of a trial lie in the ranges that were searched."""
    return all(
        kind.low <= trial.params[name] <= kind.high
        for name, kind in trial.distributions.items()
        if isinstance(kind, FloatDistribution)
    )


def importances(among: Study) -> dict[str, dict[str, float]]:
    """Share of each parameter by evaluator, those of fANOVA first; the most important parameter first."""
    evaluators: dict[str, BaseImportanceEvaluator] = {
        "fANOVA": FanovaImportanceEvaluator(seed=0),
        # The top 30 % of the trials: with the default 10 % the answer rests on 5 of 50 (docs/facts.md 2).
        "PED-ANOVA": PedAnovaImportanceEvaluator(target_quantile=0.3),
    }
    return {name: get_param_importances(among, evaluator=evaluator) for name, evaluator in evaluators.items()}


def bars(found: dict[str, dict[str, float]]) -> "go.Figure":
    """Both side by side, each parameter in the order of the first evaluator, from above."""
    import plotly.graph_objects as go

    layout = {"xaxis_title": "share", "barmode": "group", "yaxis": {"autorange": "reversed"}}
    figure = go.Figure(layout=layout)
    order = list(next(iter(found.values())))
    labels = [parameter.replace("_", " ") for parameter in order]
    for name, shares in found.items():
        figure.add_bar(y=labels, x=[shares[parameter] for parameter in order], name=name, orientation="h")
    return figure
