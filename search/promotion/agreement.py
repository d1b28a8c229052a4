"""Does a trial's score say how a longer training ends? Rank correlation and regret, with their intervals."""

import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ConstantInputWarning, kendalltau, spearmanr

#: Draws of the bootstrap over settings, and their seed: the same points give the same interval.
RESAMPLES, SEED = 2000, 0

#: Fewer settings than this have no agreement worth the name, and than the second no interval.
FEWEST, FEWEST_FOR_INTERVAL = 4, 6

#: Standard normal deviations to either side of a 95 % interval.
DEVIATIONS = 1.96

Interval = tuple[float, float]

Values = NDArray[np.float64]


@dataclass(frozen=True)
class Point:
    """A setting's score after a trial's steps and after more of them."""

    label: str
    short: float
    long: float


@dataclass(frozen=True)
class Agreement:
    """How well the shorter training ranks settings as the longer one does.

    Attributes:
        short_steps: of a trial.
        long_steps: of the longer training.
        points: one per setting.
        spearman: rank correlation, 1 for the same order (Spearman 1904).
        spearman_interval: 95 %, of `interval`; None for fewer than six settings.
        kendall: tau-b, 1 for the same order (Kendall 1938).
        kendall_interval: 95 %, likewise.
        regret: score after the longer training that is lost by taking the setting that was best after the shorter one.
    """

    short_steps: int
    long_steps: int
    points: tuple[Point, ...]
    spearman: float
    spearman_interval: Interval | None
    kendall: float
    kendall_interval: Interval | None
    regret: float

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    def in_words(self) -> str:
        """The numbers in one line."""
        spearman, kendall = show(self.spearman_interval), show(self.kendall_interval)
        unknown = (
            "" if spearman else f"; how sure that is cannot be told from fewer than {FEWEST_FOR_INTERVAL} settings"
        )
        return (
            f"{self.short_steps} against {self.long_steps} steps over {len(self.points)} settings: Spearman "
            f"{self.spearman:.2f}{spearman}, Kendall {self.kendall:.2f}{kendall}, regret of the top pick {self.regret:.2f} in "
            f"score{unknown}"
        )


def show(interval: Interval | None) -> str:
    """An interval in brackets; empty where there is none."""
    return "" if interval is None else f" (95 %: {interval[0]:.2f} to {interval[1]:.2f})"


def agree(points: Sequence[Point], short_steps: int, long_steps: int) -> Agreement | None:
    """Measure the agreement; None where there are fewer than four settings, or all are equal after one of the two lengths."""
    short = np.array([point.short for point in points])
    long = np.array([point.long for point in points])
    if len(points) < FEWEST or np.ptp(short) == 0 or np.ptp(long) == 0:
        return None
    return Agreement(
        short_steps,
        long_steps,
        tuple(points),
        spearman(short, long),
        interval(spearman, short, long, spearman_bounds),
        kendall(short, long),
        interval(kendall, short, long, kendall_bounds),
        float(long.max() - long[short.argmax()]),
    )


def spearman(ones: Values, others: Values) -> float:
    """Spearman's rank correlation."""
    return float(spearmanr(ones, others).statistic)


def kendall(ones: Values, others: Values) -> float:
    """Kendall's tau-b."""
    return float(kendalltau(ones, others).statistic)


def interval(
    statistic: Callable[[Values, Values], float],
    ones: Values,
    others: Values,
    bounds: Callable[[float, int], Interval],
) -> Interval | None:
    """Where a rank correlation may lie: all that the bootstrap or the normal approximation allows; None for few settings.

    The bootstrap alone is certain of a perfect order however few settings have it, since each draw of them has it too.
    """
    if len(ones) < FEWEST_FOR_INTERVAL:
        return None
    drawn, approximate = bootstrap(statistic, ones, others), bounds(statistic(ones, others), len(ones))
    return min(drawn[0], approximate[0]), max(drawn[1], approximate[1])


def spearman_bounds(rho: float, count: int) -> Interval:
    """95 % by Fisher's z with the standard error sqrt((1 + rho²/2) / (n - 3)).

    D. G. Bonett and T. A. Wright: Sample size requirements for estimating Pearson, Kendall and Spearman correlations,
    Psychometrika 65, 2000. A perfect order has no z: rho is taken to be at most half-way to the next order, that with two
    neighbours exchanged (1 - 6 / (n (n² - 1)) instead of 1).
    """
    largest = 1 - 6 / (count * (count**2 - 1))
    rho = max(-largest, min(largest, rho))
    return around(rho, math.sqrt((1 + rho**2 / 2) / (count - 3)))


def kendall_bounds(tau: float, count: int) -> Interval:
    """95 % by Fisher's z with the standard error sqrt(0.437 / (n - 4)).

    E. C. Fieller, H. O. Hartley and E. S. Pearson: Tests for rank correlation coefficients, Biometrika 44, 1957. A perfect order
    is taken as in `spearman_bounds` (1 - 2 / (n (n - 1))).
    """
    largest = 1 - 2 / (count * (count - 1))
    return around(max(-largest, min(largest, tau)), math.sqrt(0.437 / (count - 4)))


def around(correlation: float, error: float) -> Interval:
    """95 % around a correlation whose z has this standard error."""
    z = math.atanh(correlation)
    return math.tanh(z - DEVIATIONS * error), math.tanh(z + DEVIATIONS * error)


def bootstrap(statistic: Callable[[Values, Values], float], ones: Values, others: Values) -> Interval:
    """95 % percentile interval over settings drawn with replacement; draws without an order are left out."""
    generator = np.random.default_rng(SEED)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConstantInputWarning)
        drawn = [
            statistic(ones[chosen], others[chosen])
            for chosen in generator.integers(len(ones), size=(RESAMPLES, len(ones)))
        ]
    low, high = np.nanpercentile(drawn, (2.5, 97.5))
    return float(low), float(high)
