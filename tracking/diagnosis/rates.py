"""The learning rate of a run, from its curve or, where that was not logged, from its schedule's formula."""

import math
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from model.training.schedules import multiplier
from model.training.settings import ScheduleSettings
from tracking.diagnosis.evidence import Evidence

#: AdamW's default in torch, taken where a configuration does not say.
DEFAULT_WEIGHT_DECAY = 0.01

#: What the formulas of these kinds need beside warmup_share; a foreign configuration may leave out what its kind ignores.
NEEDED = {"cosine_with_restarts": "cycles", "polynomial": "power"}

#: Steps that a sum over a formula looks at, at most; its error is far below what the rules look for.
SAMPLES = 20_000


@dataclass(frozen=True)
class Rates:
    """Learning rate by finished steps; `source` says where it is known from.

    Of a run whose schedule is not known, `at` is the peak at every step: the most that it can have been.
    """

    at: Callable[[int], float]
    peak: float
    steps: int
    source: str
    schedule_known: bool = True

    def total(self, first: int, last: int) -> float:
        """Sum of the rates of the steps after `first` up to `last`."""
        return self._integral(first, last, 1)

    def walk(self, first: int, last: int) -> float:
        """Root of the sum of squared rates: how far a random walk of Adam's steps moves one weight."""
        return math.sqrt(self._integral(first, last, 2))

    def low_share(self, share_of_peak: float) -> float:
        """Share of all steps that come after the peak and have a rate below `share_of_peak` of it."""
        rates = [self.at(step) for step in self._sample(0, self.steps)]
        after = rates[rates.index(max(rates)) :]
        return sum(rate < share_of_peak * self.peak for rate in after) / len(rates)

    def _integral(self, first: int, last: int, power: int) -> float:
        sample = self._sample(first, last)
        return float(sum(self.at(step) ** power for step in sample) * (last - first) / max(len(sample), 1))

    def _sample(self, first: int, last: int) -> range:
        return range(first, last, max(1, (last - first) // SAMPLES))


def rates_of(evidence: Evidence) -> Rates | None:
    """Read the rates from the curve, else from the settings of the schedule; None when neither is known."""
    points = sorted(evidence.curves.get("learning_rate", []))
    if points:
        steps, values = [step for step, _ in points], [value for _, value in points]
        return Rates(
            lambda step: values[max(0, bisect_right(steps, step) - 1)],
            max(values),
            steps[-1],
            evidence.origin("learning_rate"),
        )
    return formula(evidence)


def formula(evidence: Evidence) -> Rates | None:
    """The rates by the schedule's formula."""
    read = evidence.settings.get
    kind, peak, horizon = read("schedule.kind"), read("optimizer.learning_rate"), read("training.steps")
    needed = read(f"schedule.{NEEDED[kind]}") if kind in NEEDED else 1
    if peak is None or horizon is None:
        return None
    if kind is None or needed is None:
        return Rates(lambda _step: float(peak), float(peak), int(horizon), "the peak, no schedule is known", False)
    schedule = ScheduleSettings(
        kind=kind,
        warmup_share=float(read("schedule.warmup_share") or 0.0),
        cycles=int(read("schedule.cycles") or 1),
        power=float(read("schedule.power") or 1.0),
    )
    return Rates(
        lambda step: float(peak) * multiplier(step, int(horizon), schedule),
        float(peak),
        int(horizon),
        f"formula of schedule.kind = {kind}",
    )


def weight_decay(evidence: Evidence) -> float:
    """Of the optimizer."""
    known = evidence.settings.get("optimizer.weight_decay")
    return DEFAULT_WEIGHT_DECAY if known is None else float(known)
