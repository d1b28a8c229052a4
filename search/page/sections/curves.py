"""Scores over the study and within the trials."""

from typing import TYPE_CHECKING

from search.baselines import called
from search.page.evidence import PageEvidence
from search.page.frame import escape, paragraph, plot
from search.ranking import Row

if TYPE_CHECKING:
    import plotly.graph_objects as go


#: A line so many times further off than the trials lie apart would leave them no room.
FAR = 2.0


def history_section(page: PageEvidence) -> str:
    """Score against trial number, or why there is none."""
    figure = history(page)
    if figure is None:
        return paragraph("No trial has a score yet.")
    return plot(figure, history_caption(page, figure))


def history_caption(page: PageEvidence, figure: "go.Figure") -> str:
    """What is drawn, and which yardsticks are too far off to be."""
    drawn = {line.text for line in figure.layout.annotations}
    levels = {name.replace("_", " "): scores.score for name, scores in page.yardsticks.items()}
    far = ", ".join(f"{name} {score:.1f}" for name, score in levels.items() if name not in drawn)
    return (
        "Each point is a trial; the line is the best so far; dotted: outputs that need no model, and the reference's own round "
        f"trip.{f' Too far off to be drawn: {far}.' if far else ''}"
    )


def curves_section(page: PageEvidence) -> str:
    """The curves of all trials, or why there are none."""
    figure = curves(page)
    if figure is None:
        return paragraph("No trial has two evaluations yet, so there is no curve to draw.")
    return plot(figure, "Score of the averaged weights at each evaluation; the best trial and the baselines stand out.")


def history(page: PageEvidence) -> "go.Figure | None":
    """Score by trial with the best so far and the yardsticks as lines; None where no trial has a score."""
    import plotly.graph_objects as go

    scored = sorted((row for row in page.rows if "score" in row.metrics), key=lambda row: row.number)
    if not scored:
        return None
    low, high = min(row.metrics["score"] for row in scored), max(row.metrics["score"] for row in scored)
    room = FAR * max(high - low, 1.0)
    figure = go.Figure(layout={"xaxis_title": "trial", "yaxis_title": "score"})
    for state, symbol in (("COMPLETE", "circle"), ("PRUNED", "x-thin-open")):
        rows = [row for row in scored if row.state == state]
        if rows:
            figure.add_scatter(
                x=[row.number for row in rows],
                y=[row.metrics["score"] for row in rows],
                mode="markers",
                marker={"symbol": symbol},
                text=[label(row) for row in rows],
                name=state.lower(),
            )
    best = float("-inf")
    complete = [row for row in scored if row.state == "COMPLETE"]
    so_far = [best := max(best, row.metrics["score"]) for row in complete]
    figure.add_scatter(
        x=[row.number for row in complete], y=so_far, mode="lines", line={"shape": "hv"}, name="best so far"
    )
    near = {name: scores for name, scores in page.yardsticks.items() if low - room <= scores.score <= high + room}
    for name, scores in near.items():
        figure.add_hline(
            y=scores.score, line_dash="dot", line_color="#888", annotation_text=escape(name.replace("_", " "))
        )
    return figure


def curves(page: PageEvidence) -> "go.Figure | None":
    """All curves in one grey trace, which 1000 trials can afford, and the named ones above it; None without curves."""
    import plotly.graph_objects as go

    drawn = {number: curve for number, curve in page.curves.items() if len(curve) > 1}
    if not drawn:
        return None
    figure = go.Figure(layout={"xaxis_title": "step", "yaxis_title": "score"})
    steps: list[int | None] = []
    values: list[float | None] = []
    for curve in drawn.values():
        steps += [*(step for step, _ in curve), None]
        values += [*(value for _, value in curve), None]
    grey = {"color": "rgba(128,128,128,0.45)", "width": 1}
    figure.add_scatter(x=steps, y=values, mode="lines", line=grey, name="all trials", hoverinfo="skip")
    for each in page.shown:
        curve = drawn.get(each.row.number, [])
        if curve and each.label not in ("median", "worst"):
            width = 4 if each.label == "best" else 2
            name = escape(f"{called(each.label)} (trial {each.row.number})")
            figure.add_scatter(
                x=[step for step, _ in curve],
                y=[value for _, value in curve],
                mode="lines+markers",
                line={"width": width},
                name=name,
            )
    return figure


def label(row: Row) -> str:
    """What a point is called."""
    return escape(called(row.name) if row.name else f"trial {row.number}")
