"""What a full run may come to, extrapolated from the confirmations before it starts."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from search.promotion.comparison import student_quantile
from search.promotion.repeats import Repeat

#: How near its bound a value is taken to be at most: its logarithm is needed.
NEAREST = 1e-6


@dataclass(frozen=True)
class Scale:
    """A metric on a scale without bounds, on which more is better.

    Attributes:
        up: onto it.
        down: back.
        most: the greatest value that the metric can have; its least is 0, which for SSIM is that of unrelated pictures.
    """

    up: Callable[[float], float]
    down: Callable[[float], float]
    most: float

    def possible(self, value: float) -> float:
        """The possible value that is nearest to an extrapolated one."""
        return min(max(value, 0.0), self.most)


#: The metrics that are estimated. SSIM ends at 1 and LPIPS at 0: what is left to there is extrapolated on a logarithmic scale.
METRICS: Mapping[str, Scale] = {
    "score": Scale(lambda value: value, lambda value: value, 100.0),
    "val/psnr": Scale(lambda value: value, lambda value: value, math.inf),
    "val/ssim": Scale(lambda ssim: -math.log(max(1 - ssim, NEAREST)), lambda value: 1 - math.exp(-value), 1.0),
    "val/lpips": Scale(lambda lpips: -math.log(max(lpips, NEAREST)), lambda value: math.exp(-value), math.inf),
}


@dataclass(frozen=True)
class Estimate:
    """A metric's value after `steps`, with the bounds that the stated rule gives."""

    steps: int
    value: float
    low: float
    high: float

    def says(self, came: float) -> str:
        """How what came compares."""
        return f"{self.place(came)} the estimate of {self.value:.4g} ({self.low:.4g} to {self.high:.4g})"

    def place(self, came: float) -> str:
        """Where what came lies: below, within or above."""
        return "below" if came < self.low else "above" if came > self.high else "within"


def extrapolate(short: Sequence[Repeat], long: Sequence[Repeat], metric: str, steps: int) -> Estimate:
    """Extrapolate a metric to `steps` from repeats of two lengths with the same seeds.

    Every length has its own horizon, so its end is a finished training and not a point of a longer one's curve. The rule, which
    is ours and has no theory behind it: each factor of ten of steps brings half of what the one before brought. A gain g over
    the d factors of ten between the two lengths is then followed by g (1 - 2^-D) / (2^d - 1) over the next D.

    Each seed gives one such end. The interval is the prediction interval of Student for one more training, the full run:
    mean ± t s sqrt(1 + 1/n). Its low bound is the lower one of the rule and of no gain at all, its high bound the higher one of
    the rule and of an undiminished gain.

    Args:
        short: repeats of the trial's number of steps.
        long: of a greater number, with the same seeds in the same order.
        metric: its name in the record, one of METRICS.
        steps: to estimate for, not fewer than those of `long`.
    """
    assert short[0].steps < long[0].steps <= steps, (short[0].steps, long[0].steps, steps)
    assert [repeat.seed for repeat in short] == [repeat.seed for repeat in long], "repeats of other seeds"
    scale = METRICS[metric]
    ends = [scale.up(repeat.metrics[metric]) for repeat in long]
    gains = [end - scale.up(repeat.metrics[metric]) for end, repeat in zip(ends, short, strict=True)]
    if statistics.fmean(gains) < 0:
        gains = [0.0] * len(gains)  # a loss between the lengths is not extrapolated
    between, after = math.log10(long[0].steps / short[0].steps), math.log10(steps / long[0].steps)
    shares = {"none": 0.0, "rule": (1 - 2**-after) / (2**between - 1), "undiminished": after / between}
    predicted = {
        name: prediction([end + share * gain for end, gain in zip(ends, gains, strict=True)])
        for name, share in shares.items()
    }
    bounds = [
        scale.down(min(predicted["none"][1], predicted["rule"][1])),
        scale.down(max(predicted["rule"][2], predicted["undiminished"][2])),
    ]
    middle, low, high = map(scale.possible, (scale.down(predicted["rule"][0]), min(bounds), max(bounds)))
    return Estimate(steps, middle, low, high)


def prediction(values: Sequence[float]) -> tuple[float, float, float]:
    """Mean of at least two values and the 95 % interval of one more (Hahn and Meeker: Statistical intervals, 1991, 4.7)."""
    mean, count = statistics.fmean(values), len(values)
    half = student_quantile(count) * statistics.stdev(values) * math.sqrt(1 + 1 / count)
    return mean, mean - half, mean + half


def compare_with_came(estimates: Mapping[str, Estimate], came: Mapping[str, float]) -> dict[str, dict[str, Any]]:
    """Each estimate beside what came, for the record."""
    return {
        metric: asdict(estimate) | {"came": came[metric], "place": estimate.place(came[metric])}
        for metric, estimate in estimates.items()
        if metric in came
    }
