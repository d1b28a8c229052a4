"""Where the seconds of a training went, from when its measurements came."""

import itertools
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from model.training.settings import TrainingSettings

# The parts that a training's seconds are shared among.
START, STEPS, EVALUATIONS, CHECKPOINTS, REST = "until the first step", "steps", "evaluations", "checkpoints", "rest"


@dataclass(frozen=True)
class Lap:
    """From when a training was asked for its next measurement until that came.

    Attributes:
        step: of the measurement.
        seconds: that it took.
        step_ms: the loop's own mean time of a step since the last measurement.
        evaluated: whether it has scores.
    """

    step: int
    seconds: float
    step_ms: float
    evaluated: bool


def check_laps(training: TrainingSettings) -> None:
    """Refuse settings under which the first measurement would hold more than the start and some steps.

    Raises:
        ValueError: an evaluation or the last step comes with the first measurement.
    """
    first, limit = min(training.log_every, training.probe_every), min(training.evaluate_every, training.steps)
    if first >= limit:
        raise ValueError(
            f"a measurement must come before the first evaluation and the last step, at {limit}, but the first is of step "
            f"{first}; lower training.log_every"
        )


def share_out(laps: Sequence[Lap], last_seconds: float, training: TrainingSettings) -> dict[str, float]:
    """Seconds of each part; their sum is that of the laps and of what came after the last measurement.

    Steps are what the loop says that they took. The first lap is different: of it, steps are as many median steps of the
    later laps, and all else is the start. Beyond its steps, a lap that ends with an evaluation is that evaluation, one
    in which a checkpoint was due is that checkpoint, and so is what came after the last step.
    """
    first, later = laps[0], laps[1:]
    steady_ms = statistics.median(lap.step_ms for lap in later)
    seconds = dict.fromkeys((START, STEPS, EVALUATIONS, CHECKPOINTS, REST), 0.0)
    seconds[STEPS] = first.step * steady_ms / 1000
    seconds[START] = first.seconds - seconds[STEPS]
    for before, lap in itertools.pairwise(laps):
        steps_s = (lap.step - before.step) * lap.step_ms / 1000
        seconds[STEPS] += steps_s
        # Saved after the measurement of its step, so that of the lap's own last step lies in the next one.
        every = training.checkpoint_every
        due = every > 0 and (lap.step - 1) // every > (before.step - 1) // every
        part = EVALUATIONS if lap.evaluated else CHECKPOINTS if due else REST
        seconds[part] += lap.seconds - steps_s
    seconds[CHECKPOINTS] += last_seconds
    return seconds


def wall_step_ms(laps: Sequence[Lap]) -> float | None:
    """Milliseconds of a step by the wall clock, the median over later laps without an evaluation; None without such laps."""
    pairs = itertools.pairwise(laps)
    times = [1000 * lap.seconds / (lap.step - before.step) for before, lap in pairs if not lap.evaluated]
    return statistics.median(times) if times else None
