"""python -m search.report: the study's page, one self-contained file that opens without a network."""

import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    import plotly.graph_objects as go
    from optuna import Study
    from optuna.trial import FrozenTrial

    from model.evaluation.scores import Scores
    from search.ranking import Row

#: Below this number of complete trials, importances say more about luck than about parameters (docs/facts.md 2).
MIN_TRIALS_FOR_IMPORTANCE = 20

STYLE = """body{font-family:system-ui,sans-serif;max-width:72rem;margin:auto;padding:1rem}
.wide{overflow-x:auto}table{border-collapse:collapse;font-variant-numeric:tabular-nums}
td,th{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ccc}td:nth-child(2){text-align:left}"""


def main(
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Write ranking.csv, best.toml and report.html of the study again, also of an unfinished one.

    Example: python -m search.report --set search.study=taehv
    """
    import contextlib

    from search.conclusion import conclude
    from search.lock import study_lock
    from search.opening import open_everything
    from search.settings import load_settings

    console = make_console()
    settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
    with study_lock(Path(settings.tracking.root)):
        opened = open_everything(settings, speaker(console))
        with contextlib.closing(opened.lease):
            conclude(opened, settings, console, interrupted=True)


def to_html(study: "Study", rows: "list[Row]", yardsticks: "Mapping[str, Scores]") -> str:
    """Return the page: verdict, ranking, score by trial, parallel coordinates, importances."""
    from search.ranking import verdict

    figures = [
        figure for figure in (history(rows, yardsticks), coordinates(rows), importances(study)) if figure is not None
    ]
    # plotly.js is inlined once: MLflow's viewer shows nothing of a page that asks for it elsewhere (docs/facts.md 3).
    parts = [
        figure.to_html(full_html=False, include_plotlyjs=index == 0, config={"displaylogo": False})
        for index, figure in enumerate(figures)
    ]
    title = html.escape(f"study {study.study_name}")
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
        f"<p>{html.escape(verdict(rows, yardsticks))}</p><h2>Ranking</h2>{ranking(rows)}{''.join(parts)}</body></html>"
    )


def ranking(rows: "list[Row]") -> str:
    """Return all finished trials as an HTML table."""
    from search.ranking import SCORES, score_cells, show
    from search.space import PLACES

    headings = ["place", "trial", *list(SCORES.values())[:4], *PLACES]
    cells = [
        [
            str(row.place),
            f"{row.number} {row.name}",
            *score_cells(row.metrics),
            *(show(row.parameters[p]) for p in PLACES),
        ]
        for row in rows
    ]
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>" for line in cells)
    head = "".join(f"<th>{html.escape(heading.replace('_', ' '))}</th>" for heading in headings)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def history(rows: "list[Row]", yardsticks: "Mapping[str, Scores]") -> "go.Figure | None":
    """Score against trial number, with the yardsticks as lines."""
    import plotly.graph_objects as go

    scored = sorted((row for row in rows if "score" in row.metrics), key=lambda row: row.number)
    if not scored:
        return None
    numbers = [row.number for row in scored]
    labels = [row.name or f"trial {row.number}" for row in scored]
    figure = go.Figure(layout={"title": "Score by trial", "xaxis_title": "trial", "yaxis_title": "score"})
    figure.add_scatter(
        x=numbers, y=[row.metrics["score"] for row in scored], mode="markers", text=labels, name="trials"
    )
    for name, scores in yardsticks.items():
        figure.add_hline(y=scores.score, line_dash="dot", annotation_text=name.replace("_", " "))
    return figure


def coordinates(rows: "list[Row]") -> "go.Figure | None":
    """Parameters and score of every complete trial as parallel coordinates; weights and learning rate as powers of ten."""
    import math

    import plotly.graph_objects as go

    from search.space import PLACES

    complete = [row for row in rows if row.state == "COMPLETE"]
    if len(complete) < 2:
        return None
    kinds = sorted({row.parameters["schedule"] for row in complete})
    dimensions = []
    for name in PLACES:
        if name == "schedule":
            values: list[float] = [kinds.index(row.parameters[name]) for row in complete]
            dimensions.append({"label": name, "values": values, "tickvals": list(range(len(kinds))), "ticktext": kinds})
        else:
            # A weight of 0 has no logarithm: it is drawn below every weight of the space.
            values = [math.log10(row.parameters[name]) if row.parameters[name] > 0 else -5 for row in complete]
            dimensions.append({"label": f"log10 {name}", "values": values})
    scores = [row.metrics["score"] for row in complete]
    dimensions.append({"label": "score", "values": scores})
    figure = go.Figure(layout={"title": "Parameters and score"})
    figure.add_parcoords(dimensions=dimensions, line={"color": scores, "colorscale": "Viridis", "showscale": True})
    return figure


def in_ranges(trial: "FrozenTrial") -> bool:
    """Whether all numbers of a trial lie in the ranges that were searched."""
    from optuna.distributions import FloatDistribution

    return all(
        kind.low <= trial.params[name] <= kind.high
        for name, kind in trial.distributions.items()
        if isinstance(kind, FloatDistribution)
    )


def importances(study: "Study") -> "go.Figure | None":
    """How much of the score each parameter explains, by two evaluators; none below the number of trials that it takes."""
    import optuna
    import plotly.graph_objects as go
    from optuna.importance import FanovaImportanceEvaluator, PedAnovaImportanceEvaluator, get_param_importances
    from optuna.trial import TrialState

    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    names = {name for trial in complete for name in trial.params}
    # Optuna looks only at parameters that every trial has: one baseline without a weight would hide that weight for all.
    # Nor can it hold a baseline outside the searched ranges.
    whole = [trial for trial in complete if trial.params.keys() == names and in_ranges(trial)]
    if len(whole) < MIN_TRIALS_FOR_IMPORTANCE or len({trial.value for trial in whole}) < 2:
        return None
    among = optuna.create_study(direction=study.direction)
    among.add_trials(whole)
    figure = go.Figure(layout={"title": "Importance of parameters", "yaxis_title": "share"})
    evaluators = {
        "fANOVA": FanovaImportanceEvaluator(seed=0),
        # The top 30 % of the trials: with the default 10 % the answer rests on 5 of 50 (docs/facts.md 2).
        "PED-ANOVA": PedAnovaImportanceEvaluator(target_quantile=0.3),
    }
    for name, evaluator in evaluators.items():
        found = get_param_importances(among, evaluator=evaluator)
        figure.add_bar(x=list(found), y=list(found.values()), name=name)
    return figure


if __name__ == "__main__":
    run(main)
