"""All finished trials as a table that sorts, with the course of each score."""

from search.baselines import called
from search.page.evidence import Curve, PageEvidence
from search.page.frame import escape, paragraph, raw_table
from search.ranking import SCORES, SHORT, Row, score_cells, show
from search.space import LOSSES

#: Sides of a sparkline in its own units; the page stretches it.
WIDTH, HEIGHT = 100, 20


def section(page: PageEvidence) -> str:
    """Draw the table; a study without finished trials has its headings."""
    score, *others = list(SCORES.values())[:5]
    weights = [SHORT[name] for name in LOSSES]
    headings = ["#", "trial", score, "diagnosis", "rate", *others, "score by step", *weights, "schedule", "state"]
    finals = [value for curve in page.curves.values() for _, value in curve]
    bounds = (min(finals), max(finals)) if finals else (0.0, 1.0)
    rows = [cells(page, row, bounds) for row in page.rows]
    note = (
        "A click on a heading sorts. The small curves share one scale. Pruned trials stand last, with scores of an earlier "
        f"step. Rate is the learning rate; {', '.join(weights)} are the weights of the losses {', '.join(LOSSES)}."
    )
    return paragraph(note, "dim") + f'<div class="ranking">{raw_table(headings, rows, sortable=True)}</div>'


def cells(page: PageEvidence, row: Row, bounds: tuple[float, float]) -> list[str]:
    """One trial."""
    score, *others = score_cells(row.metrics)
    return [
        str(row.place),
        f"{row.number}<br><small>{escape(called(row.name))}</small>" if row.name else str(row.number),
        score,
        escape(page.verdicts.get(row.number) or "-"),
        number_cell(row.parameters["learning_rate"]),
        *others,
        flicker_cell(row),
        sparkline(page.curves.get(row.number, []), bounds),
        *(number_cell(row.parameters[name]) for name in LOSSES),
        number_cell(row.parameters["schedule"]),
        row.state.lower(),
    ]


def flicker_cell(row: Row) -> str:
    """Change from frame to frame that the clips do not have; a dash where it was not measured."""
    return f"{row.metrics['val/flicker']:.4f}" if "val/flicker" in row.metrics else "-"


def number_cell(value: object) -> str:
    """A parameter in few characters that sorts by its exact value."""
    exact = f' data-value="{value}"' if isinstance(value, float) else ""
    return f"<span{exact}>{escape(show(value))}</span>"


def sparkline(curve: Curve, bounds: tuple[float, float]) -> str:
    """A curve without axes, on a scale that all trials share; a dash below two points."""
    if len(curve) < 2:
        return "-"
    (first, _), (last, final) = curve[0], curve[-1]
    low, high = bounds
    scale = (high - low) or 1.0
    points = " ".join(
        f"{WIDTH * (step - first) / (last - first):.1f},{HEIGHT - HEIGHT * (value - low) / scale:.1f}"
        for step, value in curve
    )
    return (
        f'<svg class="spark" viewBox="0 -1 {WIDTH} {HEIGHT + 2}" preserveAspectRatio="none" data-value="{final}" role="img" '
        f'aria-label="to {final:.2f}"><path d="M{points}"/></svg>'
    )
