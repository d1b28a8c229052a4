"""What a full run may come to, extrapolated from the confirmations before it starts."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from search.promotion.comparison import student_interval
from search.promotion.repeats import Repeat


@dataclass(frozen=True)
class Estimate:
    """A metric's value after `steps`, with the bounds that the stated rule gives."""

    steps: int
    value: float
    low: float
    high: float

    def says(self, came: float) -> str:
        """How what came compares."""
        place = "below" if came < self.low else "above" if came > self.high else "within"
        return f"{place} the estimate of {self.value:.4g} ({self.low:.4g} to {self.high:.4g})"


def extrapolate(short: Sequence[Repeat], long: Sequence[Repeat], metric: str, steps: int) -> Estimate:
    """Extrapolate a metric to `steps` from repeats of two lengths with the same seeds.

    Every length has its own horizon, so its end is a finished training and not a point of a longer one's curve. Between the two
    the metric gains g for each factor of ten of steps. The rule, which is ours and has no theory behind it: from there on each
    factor of ten brings half of what the one before brought, so that D of them bring g (1 - 2^-D) / ln 2. The low bound has no
    gain at all, the high one keeps g; both are widened by Student's 95 % interval over the seeds.

    Args:
        short: repeats of the trial's number of steps.
        long: of a greater number.
        metric: its name in the record; one that is better higher.
        steps: to estimate for, not fewer than those of `long`.
    """
    before = statistics.fmean(repeat.metrics[metric] for repeat in short)
    values = [repeat.metrics[metric] for repeat in long]
    now, (low, high) = statistics.fmean(values), student_interval(values)
    assert short[0].steps < long[0].steps <= steps, (short[0].steps, long[0].steps, steps)
    gain = max(0.0, (now - before) / math.log10(long[0].steps / short[0].steps))
    decades = math.log10(steps / long[0].steps)
    return Estimate(steps, now + gain * (1 - 2**-decades) / math.log(2), low, high + gain * decades)
