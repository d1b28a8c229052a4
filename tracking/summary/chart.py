"""Curves and histograms as SVG text: a page holds them without a script, which a copy of plotly.js for every run would be."""

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape

from tracking.summary.scale import Scale, scale_of

WIDTH, HEIGHT = 420, 220
LEFT, RIGHT, TOP, BOTTOM = 52, 8, 8, 24
#: Points of a curve that are drawn at most: more than pixels show nothing more.
MOST_POINTS = 200
#: Line colours in their order, told apart by people who do not see red and green alike (Okabe and Ito 2008).
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#999999")

Curve = Sequence[tuple[int, float]]


def line_chart(
    title: str, curves: Mapping[str, Curve], *, logarithmic: bool = False, levels: Mapping[str, float] | None = None
) -> str:
    """Draw curves over steps, with dashed lines at some levels; "" where there is nothing to draw.

    Values that are not finite are left out, and on a logarithmic axis those not above 0.
    """
    drawn = {name: drawable(curve, logarithmic) for name, curve in curves.items()}
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        return ""
    shown = {name: value for name, value in (levels or {}).items() if math.isfinite(value)}
    shown = {name: value for name, value in shown.items() if value > 0 or not logarithmic}
    steps = scale_of([step for points in drawn.values() for step, _ in points])
    heights = scale_of(
        [value for points in drawn.values() for _, value in points] + list(shown.values()), logarithmic=logarithmic
    )
    lines = [polyline(points, steps, heights, colour_of(index)) for index, points in enumerate(drawn.values())]
    dashes = [level_line(value, heights) for value in shown.values()]
    names = [(colour_of(index), name) for index, name in enumerate(drawn)]
    labels = [f"{name} {number(value)} (dashed)" for name, value in shown.items()]
    return figure(title, axes(steps, heights, whole=True) + "".join(dashes + lines), legend(names, labels))


def histogram(title: str, values: Sequence[float], unit: str) -> str:
    """Draw how many values lie in each of some equal intervals; "" without finite values."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return ""
    across = scale_of(finite)
    bins = max(1, min(20, math.ceil(math.sqrt(len(finite)))))
    counts = [0] * bins
    for value in finite:
        counts[min(bins - 1, int(across.place(value) * bins))] += 1
    up = Scale(0, max(counts))
    bars = []
    for index, count in enumerate(counts):
        left, right = x_of(index / bins), x_of((index + 1) / bins)
        top = y_of(up.place(count))
        bars.append(
            f'<rect x="{left + 1:.1f}" y="{top:.1f}" width="{right - left - 2:.1f}" height="{y_of(0) - top:.1f}" '
            f'fill="{COLOURS[0]}"><title>{count}</title></rect>'
        )
    return figure(f"{title}, {unit}", axes(across, up) + "".join(bars), "")


def drawable(curve: Curve, logarithmic: bool) -> list[tuple[int, float]]:
    """The points that can be drawn, thinned to MOST_POINTS; the last is always there."""
    points = [(step, value) for step, value in curve if math.isfinite(value) and (value > 0 or not logarithmic)]
    every = math.ceil(len(points) / MOST_POINTS)
    return points if every <= 1 else points[::-1][::every][::-1]


def polyline(points: Curve, steps: Scale, heights: Scale, colour: str) -> str:
    """A curve; a single point becomes a dot."""
    places = [(x_of(steps.place(step)), y_of(heights.place(value))) for step, value in points]
    if len(places) == 1:
        return f'<circle cx="{places[0][0]:.1f}" cy="{places[0][1]:.1f}" r="3" fill="{colour}"/>'
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="1.6"/>'


def level_line(value: float, heights: Scale) -> str:
    """A dashed line across the picture."""
    y = y_of(heights.place(value))
    return f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="level"/>'


def axes(across: Scale, up: Scale, *, whole: bool = False) -> str:
    """The grid with its numbers; `whole` leaves out those of the lower axis that are none, as there is no half step."""
    parts = []
    for tick in up.ticks():
        y = y_of(up.place(tick))
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" class="grid"/>')
        parts.append(f'<text x="{LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{number(tick)}</text>')
    for tick in across.ticks():
        if whole and abs(tick - round(tick)) > 1e-6:
            continue
        x = x_of(across.place(tick))
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 6}" text-anchor="middle">{number(tick)}</text>')
    return "".join(parts)


def figure(title: str, drawing: str, below: str) -> str:
    """A picture with its title above and its legend below."""
    return (
        f'<figure class="chart"><figcaption>{escape(title)}</figcaption>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">{drawing}</svg>{below}</figure>'
    )


def legend(names: Iterable[tuple[str, str]], labels: Iterable[str]) -> str:
    """What each colour is, and each dashed line."""
    keys = [f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for colour, name in names]
    return f'<p class="legend">{"".join(keys)}{"".join(f"<span>{escape(label)}</span>" for label in labels)}</p>'


def colour_of(index: int) -> str:
    """The colour of a line by its place."""
    return COLOURS[index % len(COLOURS)]


def x_of(share: float) -> float:
    """The picture's x of a place on the lower axis."""
    return LEFT + share * (WIDTH - LEFT - RIGHT)


def y_of(share: float) -> float:
    """The picture's y of a place on the upright axis."""
    return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def number(value: float) -> str:
    """A number as short as it can be read."""
    if value != 0 and (abs(value) >= 1e5 or abs(value) < 1e-3):
        mantissa, power = f"{value:.1e}".split("e")
        return f"{mantissa.removesuffix('.0')}e{int(power)}"
    return f"{value:.4g}"
