"""Whether short trainings rank settings as long ones do."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from search.page.frame import escape, paragraph, plot
from search.promotion.agreement import Agreement

if TYPE_CHECKING:
    import plotly.graph_objects as go


def section(agreements: Sequence[Agreement]) -> str:
    """Draw each longer training against the trials, with rank correlations and regret, or say that none was compared."""
    if not agreements:
        return paragraph(
            "Not measured: no four settings were trained both short and long, or all of them ended equal, so nothing here says "
            "whether the ranking of the trials is that of full runs."
        )
    return "".join(comparison(agreement) for agreement in agreements)


def comparison(agreement: Agreement) -> str:
    """One longer training: its numbers in words and its points."""
    caption = "Each point is one setting. Points on a rising line: the short training ranks as the long one does."
    return paragraph(f"{agreement.in_words()}.") + plot(scatter(agreement), caption)


def scatter(agreement: Agreement) -> "go.Figure":
    """Score after the long training against that after the short one."""
    import plotly.graph_objects as go

    figure = go.Figure(
        layout={
            "xaxis_title": f"score after {agreement.short_steps} steps",
            "yaxis_title": f"score after {agreement.long_steps} steps",
        }
    )
    figure.add_scatter(
        x=[point.short for point in agreement.points],
        y=[point.long for point in agreement.points],
        mode="markers",
        text=[escape(point.label) for point in agreement.points],
        name="settings",
    )
    return figure
