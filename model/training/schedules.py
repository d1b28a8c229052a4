"""Learning rate over a run: pure functions from a step to a share of the peak rate."""

import math
from collections.abc import Callable

from model.training.settings import ScheduleSettings


def multiplier(step: int, horizon: int, settings: ScheduleSettings) -> float:
    """Share of the peak learning rate, in [0, 1], for the step that follows `step` finished ones.

    Warm-up is w = warmup_share * horizon steps long and rises as (step + 1) / w, so that the first step already moves
    the weights. The decay begins where the warm-up ends (progress 0) and would end at the horizon (progress 1), one
    step after the last that is taken, so that no step has rate 0. The shapes are those of Hugging Face transformers'
    schedules of the same names; "constant" has no warm-up.

    Args:
        step: finished steps, 0 for the first; from the horizon on a decaying schedule gives 0.
        horizon: steps of the whole run, at least 1.
        settings: kind and parameters. warmup_share = 1 means a run that only warms up, to exactly 1 at its last step.
    """
    assert step >= 0, f"step = {step}"
    assert horizon >= 1, f"horizon = {horizon}"
    if settings.kind == "constant":
        return 1.0
    warmup_steps = settings.warmup_share * horizon
    if step < warmup_steps:
        return min(1.0, (step + 1) / warmup_steps)
    decay_steps = horizon - warmup_steps
    progress = min(1.0, (step - warmup_steps) / decay_steps) if decay_steps > 0 else 1.0
    return DECAYS[settings.kind](progress, settings)


def hold(progress: float, settings: ScheduleSettings) -> float:
    """Stay at the peak."""
    return 1.0


def linear(progress: float, settings: ScheduleSettings) -> float:
    """Fall in a straight line."""
    return 1.0 - progress


def cosine(progress: float, settings: ScheduleSettings) -> float:
    """Fall over half a cosine (Loshchilov and Hutter, arXiv 1608.03983)."""
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def cosine_with_restarts(progress: float, settings: ScheduleSettings) -> float:
    """Fall over half a cosine `cycles` times, each from the peak (Loshchilov and Hutter, arXiv 1608.03983)."""
    return 0.0 if progress >= 1.0 else cosine(settings.cycles * progress % 1.0, settings)


def polynomial(progress: float, settings: ScheduleSettings) -> float:
    """Fall as a power of what is left."""
    return float((1.0 - progress) ** settings.power)


DECAYS: dict[str, Callable[[float, ScheduleSettings], float]] = {
    "constant_with_warmup": hold,
    "linear": linear,
    "cosine": cosine,
    "cosine_with_restarts": cosine_with_restarts,
    "polynomial": polynomial,
}
