"""Whether short trainings rank settings as long ones do: the points of such a comparison, and what they say."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from search.page.frame import escape, paragraph, plot

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Below this number of settings a rank correlation says next to nothing.
FEWEST_POINTS = 4
RESAMPLES = 2000


@dataclass(frozen=True)
class FidelityPoints:
    """Scores of the same settings after a short and after a long training; the three tuples have one entry a setting."""

    labels: tuple[str, ...]
    short: tuple[float, ...]
    long: tuple[float, ...]
    short_steps: int
    long_steps: int


def section(points: FidelityPoints | None) -> str:
    """Draw short against long scores with rank correlations and regret, or say that nothing was compared."""
    if points is None or len(points.labels) < 2:
        return paragraph(
            "Not measured: no settings were trained both short and long, so nothing here says whether the ranking of the "
            "trials is that of full runs."
        )
    found, lost = correlations(points), regret(points)
    words = "; ".join(f"{name} {value:+.2f}{shown_interval(low, high)}" for name, (value, low, high) in found.items())
    text = (
        f"{len(points.labels)} settings, {points.short_steps} against {points.long_steps} steps: {words}. Taking the best of "
        f"the short trainings costs {lost:.2f} in score against the best of the long ones."
    )
    few = len(points.labels) < FEWEST_POINTS
    warning = paragraph("So few settings give no rank correlation to rely on.", "warning") if few else ""
    caption = "Each point is one setting. Points on a rising line: the short training ranks as the long one does."
    return paragraph(text) + warning + plot(scatter(points), caption)


def scatter(points: FidelityPoints) -> "go.Figure":
    """Score after the long training against that after the short one."""
    import plotly.graph_objects as go

    figure = go.Figure(
        layout={
            "xaxis_title": f"score after {points.short_steps} steps",
            "yaxis_title": f"score after {points.long_steps} steps",
        }
    )
    labels = [escape(label) for label in points.labels]
    figure.add_scatter(x=points.short, y=points.long, mode="markers", text=labels, name="settings")
    return figure


def correlations(points: FidelityPoints) -> dict[str, tuple[float, float, float]]:
    """Spearman's and Kendall's coefficient, each with a 95 % bootstrap interval over settings; NaN where none is defined."""
    short, long = np.array(points.short), np.array(points.long)
    draws = np.random.default_rng(0).integers(len(short), size=(RESAMPLES, len(short)))
    results = {}
    for name, function in {"Spearman": spearman, "Kendall": kendall}.items():
        values = np.array([function(short[draw], long[draw]) for draw in draws])
        known = values[np.isfinite(values)]
        low, high = np.quantile(known, (0.025, 0.975)) if len(known) else (np.nan, np.nan)
        results[name] = (function(short, long), float(low), float(high))
    return results


def spearman(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Correlation of the ranks, equal values sharing their mean rank; NaN where one side is constant."""
    first, second = ranked(one), ranked(other)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])


def ranked(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranks from 0, equal values sharing their mean rank."""
    return ((values[:, None] > values).sum(1) + (values[:, None] >= values).sum(1) - 1) / 2


def kendall(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Kendall's tau-b; NaN where one side is constant."""
    signs = [np.sign(values[:, None] - values) for values in (one, other)]
    scale = np.sqrt((signs[0] ** 2).sum() * (signs[1] ** 2).sum())
    return float((signs[0] * signs[1]).sum() / scale) if scale else float("nan")


def regret(points: FidelityPoints) -> float:
    """By how much the long score of the best short training is below the best long one; 0: the same setting."""
    chosen = int(np.argmax(points.short))
    return max(points.long) - points.long[chosen]


def shown_interval(low: float, high: float) -> str:
    """The interval for people; empty where there is none."""
    return f" (95 % {low:+.2f} to {high:+.2f})" if np.isfinite(low) else ""
