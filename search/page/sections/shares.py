"""What each loss contributes, to the total and to the gradient."""

from typing import TYPE_CHECKING

from search.page.evidence import Curve, PageEvidence, Shown
from search.page.frame import paragraph, plot
from search.space import LOSSES

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: Metric prefixes with their titles.
KINDS = {"share": "of the value", "gradient_share": "of the gradient"}
#: Points at the end of a curve that are averaged: batches differ.
LAST_POINTS = 10


def section(page: PageEvidence) -> str:
    """Bars of best, median and worst, or why there are none."""
    story = [
        each for each in page.shown if page.shares.get(each.row.number) and each.label in ("best", "median", "worst")
    ]
    if not story:
        return paragraph("Not in the record: no complete trial has its loss shares there.")
    caption = (
        f"Mean of the last {LAST_POINTS} measurements. A loss with a large share of the value and a small one of the gradient "
        "hardly steers the training."
    )
    return plot(shares(page, story), caption)


def shares(page: PageEvidence, story: list[Shown]) -> "go.Figure":
    """One stacked bar a trial and kind, the best above; a loss has one colour."""
    import plotly.graph_objects as go

    layout = {"barmode": "stack", "xaxis_title": "share", "yaxis": {"autorange": "reversed"}}
    figure = go.Figure(layout=layout | {"legend": {"traceorder": "normal"}})
    labels = [f"{each.label} (trial {each.row.number})<br>{title}" for each in story for title in KINDS.values()]
    for name in LOSSES:
        values = [last(page.shares[each.row.number].get(f"{kind}/{name}", [])) for each in story for kind in KINDS]
        if any(value is not None for value in values):
            figure.add_bar(y=labels, x=values, name=name, orientation="h")
    return figure


def last(curve: Curve) -> float | None:
    """Mean of a curve's last points; None without points."""
    values = [value for _, value in curve[-LAST_POINTS:]]
    return sum(values) / len(values) if values else None
