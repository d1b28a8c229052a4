"""How the score depends on the parameters: all at once, which matter, each alone, the two that matter most together."""

import math
import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from optuna import Study
from optuna.exceptions import ExperimentalWarning

from search.page.colours import OUTLINE, SCALE
from search.page.evidence import PageEvidence
from search.page.frame import escape, paragraph, plot
from search.page.importance import RELIABLE_TRIALS, bars
from search.page.ticks import ticks
from search.ranking import Row, show
from search.space import PLACES

if TYPE_CHECKING:
    import plotly.graph_objects as go

#: The best region of a parameter is where the best fifth of the trials lie, at least three of them.
BEST_SHARE, FEWEST_BEST = 0.2, 3
#: A weight of 0 has no logarithm: it is drawn so many powers of ten below the least weight of its axis.
BELOW = 0.5
#: So many of the trials, the worst, share the darkest colour.
DIM_SHARE = 0.1
COLUMNS = 2
#: Room for the labels of the first of the parallel axes, as a share of the figure.
LABEL_SHARE = 0.04
#: Room beside the outermost points, in powers of ten.
MARGIN = 0.1


def complete_rows(page: PageEvidence) -> list[Row]:
    """The complete trials with a score, best first."""
    return [row for row in page.rows if row.state == "COMPLETE" and "score" in row.metrics]


def parallel_section(page: PageEvidence) -> str:
    """Parameters and score of every complete trial as parallel coordinates."""
    rows = complete_rows(page)
    if len(rows) < 2:
        return paragraph("Two complete trials are needed to compare their parameters.")
    caption = "Each line is a complete trial; numbers on logarithmic axes, 0 below them. Drag along an axis to select."
    return plot(coordinates(rows), caption, least_px=960)


def importance_section(page: PageEvidence) -> str:
    """Both evaluators side by side, with a warning where the trials are too few."""
    if page.among is None:
        return paragraph(
            "Not known: at least four complete trials inside the searched ranges with different scores are needed."
        )
    number = len(page.among.trials)
    few = (
        paragraph(
            f"Only {number} trials: below {RELIABLE_TRIALS} importances say more about luck than about parameters.",
            "warning",
        )
        if number < RELIABLE_TRIALS
        else ""
    )
    caption = (
        f"From {number} complete trials. fANOVA: share of the score's variance over the whole space. PED-ANOVA: what sets the "
        "best 30 % of the trials apart. They answer different questions and may disagree."
    )
    return few + plot(bars(page.importances), caption)


def slices_section(page: PageEvidence) -> str:
    """Score against each parameter alone, with the region of the best trials."""
    rows = complete_rows(page)
    if not rows:
        return paragraph("No complete trial has a score yet.")
    caption = "Each point is a complete trial, the earliest blue, the latest orange (there the sampler looked last)."
    if len(rows) >= FEWEST_BEST:
        caption += f" Shaded: where the best {num_best(rows)} trials lie. A weight of 0 is not on these axes."
    return plot(slices(rows, page.space), caption, least_px=560)


def interaction_section(page: PageEvidence) -> str:
    """The two most important parameters together, by Optuna's rank plot."""
    if page.among is None or len(complete_rows(page)) < 2:
        return paragraph("Not known: too few complete trials to say which two parameters matter most.")
    first, second = list(page.importances["fANOVA"])[:2]
    names = f"{first} and {second}".replace("_", " ")
    caption = f"{names}, the two most important by fANOVA; colour is the rank of the score among the trials."
    return plot(interaction(page.among, first, second), caption, least_px=520)


def coordinates(rows: list[Row]) -> "go.Figure":
    """Parameters and score as parallel axes, coloured by score."""
    import plotly.graph_objects as go

    kinds = sorted({row.parameters["schedule"] for row in rows})
    dimensions = []
    for name in PLACES:
        if name == "schedule":
            values: list[float] = [kinds.index(row.parameters[name]) for row in rows]
            texts = [escape(show(kind)) for kind in kinds]
            dimensions.append({"label": name, "values": values, "tickvals": list(range(len(kinds))), "ticktext": texts})
        else:
            dimensions.append({"label": name.replace("_", " ")} | logarithmic([row.parameters[name] for row in rows]))
    scores = [row.metrics["score"] for row in rows]
    # One trial that broke would give all others one colour.
    lowest = sorted(scores)[int(DIM_SHARE * len(scores))]
    dimensions.append({"label": "score", "values": scores, "tickformat": ".2f"})
    figure = go.Figure()
    figure.add_parcoords(
        dimensions=dimensions,
        domain={"x": [LABEL_SHARE, 1]},
        line={"color": scores, "colorscale": SCALE, "showscale": True, "cmin": lowest, "cmax": max(scores)},
    )
    return figure


def logarithmic(values: list[float]) -> dict[str, Any]:
    """An axis of logarithms that is labelled with the values themselves, with room for 0 below them."""
    above = [value for value in values if value > 0]
    if not above:
        return {"values": [0.0] * len(values), "tickvals": [0.0], "ticktext": ["0"]}
    low, high = math.log10(min(above)), math.log10(max(above))
    exact, texts = ticks(10 ** (low - MARGIN), 10 ** (high + MARGIN))
    places = [math.log10(value) for value in exact]
    ends = [low - MARGIN, high + MARGIN]
    if len(above) < len(values):
        ends[0] = low - BELOW
        places, texts = [ends[0], *places], ["0", *texts]
    drawn = [math.log10(value) if value > 0 else ends[0] for value in values]
    return {"values": drawn, "tickvals": places, "ticktext": texts, "range": ends}


def num_best(rows: list[Row]) -> int:
    """How many trials the best region is made of."""
    return max(FEWEST_BEST, round(BEST_SHARE * len(rows)))


def best_region(rows: list[Row], name: str) -> tuple[float, float] | None:
    """Least and greatest value among the best trials; None for too few trials or a parameter that they leave out."""
    if len(rows) < FEWEST_BEST:
        return None
    values = [row.parameters[name] for row in rows[: num_best(rows)] if row.parameters[name] > 0]
    return (min(values), max(values)) if values else None


def slices(rows: list[Row], space: Mapping[str, tuple[float, float]]) -> "go.Figure":
    """One small plot a parameter; numbers on logarithmic axes that show all of their range and every baseline outside it."""
    from plotly.subplots import make_subplots

    titles = [name.replace("_", " ") for name in PLACES]
    height = -(-len(PLACES) // COLUMNS)
    # The schedules, the last and the odd one, have names that need the whole width.
    specs: list[list[dict[str, int] | None]] = [[{}] * COLUMNS for _ in range(height - 1)]
    figure = make_subplots(
        rows=height,
        cols=COLUMNS,
        specs=[*specs, [{"colspan": COLUMNS}, None]],
        subplot_titles=titles,
        shared_yaxes=True,
        vertical_spacing=0.09,
    )
    for index, name in enumerate(PLACES):
        place = {"row": index // COLUMNS + 1, "col": index % COLUMNS + 1}
        drawn = [row for row in rows if name == "schedule" or row.parameters[name] > 0]
        figure.add_scatter(
            x=[place_of(row.parameters[name]) for row in drawn],
            y=[row.metrics["score"] for row in drawn],
            mode="markers",
            marker={
                "color": [row.number for row in drawn],
                "colorscale": SCALE,
                "size": 7,
                "line": {"color": OUTLINE, "width": 0.5},
            },
            text=[f"trial {row.number}" for row in drawn],
            showlegend=False,
            **place,
        )
        if name == "schedule":
            continue
        shown = [row.parameters[name] for row in drawn] + list(space[name])
        ends = [math.log10(min(shown)) - MARGIN, math.log10(max(shown)) + MARGIN]
        values, texts = ticks(10 ** ends[0], 10 ** ends[1])
        figure.update_xaxes(type="log", range=ends, tickvals=values, ticktext=texts, **place)
        region = best_region(rows, name)
        if region is not None:
            figure.add_vrect(x0=region[0], x1=region[1], fillcolor="orange", opacity=0.15, line_width=0, **place)
    figure.update_layout(height=240 * height)
    return figure


def place_of(value: Any) -> Any:
    """A number, or a name in two lines of words."""
    return value if isinstance(value, float) else escape(show(value)).replace(" ", "<br>", 1)


def interaction(among: Study, first: str, second: str) -> "go.Figure":
    """Optuna's rank plot of two parameters."""
    from optuna.visualization import plot_rank

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)  # its plot is looked at by people, no code depends on it
        figure = plot_rank(among, params=[first, second])
    figure.update_layout(title=None)
    figure.update_traces(marker={"size": 9, "line": {"color": OUTLINE, "width": 1}})
    for axis in (figure.layout.xaxis, figure.layout.yaxis):
        if axis.type == "log":
            values, texts = ticks(10 ** axis.range[0], 10 ** axis.range[1])
            axis.update(tickvals=values, ticktext=texts)
        axis.title.text = axis.title.text.replace("_", " ")
    return figure
