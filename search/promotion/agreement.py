"""Does a trial's score say how a longer training ends? Rank correlation and regret, with their intervals."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import ConstantInputWarning, kendalltau, spearmanr

#: Draws of the bootstrap over settings, and their seed: the same points give the same interval.
RESAMPLES, SEED = 2000, 0

#: Fewer settings than this have no interval worth the name.
FEWEST = 4

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
        spearman_interval: 95 %, bootstrap over settings.
        kendall: tau-b, 1 for the same order (Kendall 1938).
        kendall_interval: 95 %, likewise.
        regret: score after the longer training that is lost by taking the setting that was best after the shorter one.
    """

    short_steps: int
    long_steps: int
    points: tuple[Point, ...]
    spearman: float
    spearman_interval: tuple[float, float]
    kendall: float
    kendall_interval: tuple[float, float]
    regret: float

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    def in_words(self) -> str:
        """The numbers in one line."""
        (low, high), (kendall_low, kendall_high) = self.spearman_interval, self.kendall_interval
        return (
            f"{self.short_steps} against {self.long_steps} steps over {len(self.points)} settings: Spearman "
            f"{self.spearman:.2f} "
            f"(95 %: {low:.2f} to {high:.2f}), Kendall {self.kendall:.2f} ({kendall_low:.2f} to {kendall_high:.2f}), "
            f"regret of the top pick {self.regret:.2f} in score"
        )


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
        bootstrap(spearman, short, long),
        kendall(short, long),
        bootstrap(kendall, short, long),
        float(long.max() - long[short.argmax()]),
    )


def spearman(ones: Values, others: Values) -> float:
    """Spearman's rank correlation."""
    return float(spearmanr(ones, others).statistic)


def kendall(ones: Values, others: Values) -> float:
    """Kendall's tau-b."""
    return float(kendalltau(ones, others).statistic)


def bootstrap(statistic: Callable[[Values, Values], float], ones: Values, others: Values) -> tuple[float, float]:
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
