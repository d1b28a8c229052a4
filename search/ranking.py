"""Trials in order of their score, as rows, as a file and as a table."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from optuna import Study
from optuna.trial import FrozenTrial, TrialState
from rich.box import SIMPLE_HEAD
from rich.table import Table

from model.evaluation.scores import Scores
from model.evaluation.yardsticks import REFERENCE
from search.baselines import called
from search.space import PLACES, complete
from search.study import BASELINE, METRICS, RUN_ID, finished

#: Columns of the scores, in the order in which tables show them.
SCORES = {
    "score": "score",
    "val/psnr": "PSNR dB",
    "val/ssim": "SSIM",
    "val/lpips": "LPIPS",
    "val/flicker": "flicker",
    "val/overall": "Overall",
}

#: Headings of the parameters that leave a table narrow enough for 100 columns.
SHORT = {
    "encoder": "enc",
    "decoder": "dec",
    "reconstruction": "rec",
    "perceptual": "perc",
    "seraena": "ser",
    "learning_rate": "rate",
    "schedule": "schedule",
}


@dataclass(frozen=True)
class Row:
    """A finished trial; `metrics` are those of its last evaluation."""

    place: int
    number: int
    name: str  # of the baseline that it is, else ""
    state: str
    metrics: dict[str, float]
    parameters: dict[str, Any]
    run_id: str


def rank(study: Study) -> list[Row]:
    """Return the finished trials, best first; complete ones before pruned ones, whose scores are of an earlier step."""
    trials = sorted(
        finished(study),
        key=lambda trial: (trial.state != TrialState.COMPLETE, -measured(trial).get("score", float("-inf"))),
    )
    return [
        Row(
            place,
            trial.number,
            trial.user_attrs.get(BASELINE, ""),
            trial.state.name,
            measured(trial),
            complete(trial.params),
            trial.user_attrs[RUN_ID],
        )
        for place, trial in enumerate(trials, start=1)
    ]


def measured(trial: FrozenTrial) -> dict[str, float]:
    """The metrics of a trial's last evaluation that are numbers: NaN has no place in an order."""
    return {name: value for name, value in trial.user_attrs[METRICS].items() if isfinite(value)}


def best_row(rows: Sequence[Row]) -> Row | None:
    """The best complete trial; None where none has a score: that of a pruned one is of an earlier step."""
    return next((row for row in rows if row.state == "COMPLETE" and "score" in row.metrics), None)


def best_score(rows: Sequence[Row]) -> tuple[float, int] | None:
    """The score of the best complete trial and its number; None where none has a score."""
    best = best_row(rows)
    return None if best is None else (best.metrics["score"], best.number)


def to_csv(rows: Sequence[Row]) -> str:
    """Write all rows with scores, parameters and run ids."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(["place", "trial", "baseline", "state", *SCORES, *PLACES, "run_id"])
    for row in rows:
        scores = [row.metrics.get(name, "") for name in SCORES]
        parameters = [row.parameters[name] for name in PLACES]
        writer.writerow([row.place, row.number, row.name, row.state, *scores, *parameters, row.run_id])
    return buffer.getvalue()


def to_table(rows: list[Row], yardsticks: Mapping[str, Scores], most: int = 10) -> Table:
    """Return a terminal table: the best trials, every baseline wherever it stands, and the yardsticks."""
    table = Table(header_style="bold", box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for heading in ["#", "trial", *list(SCORES.values())[:4], *SHORT.values()]:
        left = heading in ("trial", "schedule")
        table.add_column(heading, justify="left" if left else "right", no_wrap=True, overflow="ellipsis")
    for row in rows:
        if row.place <= most or row.name:
            label = f"{row.number} {row.name}".strip() + (" (pruned)" if row.state == "PRUNED" else "")
            parameters = [show(row.parameters[name]) for name in PLACES]
            table.add_row(
                str(row.place), label, *score_cells(row.metrics), *parameters, style="bold" if row.place == 1 else ""
            )
    table.add_section()
    for name, scores in yardsticks.items():
        table.add_row("", name.replace("_", " "), *score_cells(scores.metrics()), style="dim")
    return table


def score_cells(metrics: Mapping[str, float]) -> list[str]:
    """Format score, PSNR, SSIM and LPIPS; a dash for what was not measured."""
    formats = {"score": ".2f", "val/psnr": ".2f", "val/ssim": ".3f", "val/lpips": ".3f"}
    return [format(metrics[name], form) if name in metrics else "-" for name, form in formats.items()]


def show(value: Any) -> str:
    """Format a parameter in few characters."""
    return f"{value:.2g}" if isinstance(value, float) else str(value).replace("_", " ")


def verdict(rows: list[Row], yardsticks: Mapping[str, Scores]) -> str:
    """Say what won, against what, and plainly when nothing did."""
    first = best_row(rows)
    if first is None or "val/psnr" not in first.metrics:
        early = any("score" in row.metrics for row in rows)
        return "no complete trial has a score yet" if early else "no trial has a score yet"
    best = first.metrics["val/psnr"]
    complete = [row for row in rows if row.state == "COMPLETE"]
    against = {row.name: row.metrics["val/psnr"] for row in complete if row.name and "val/psnr" in row.metrics}
    against |= {name: scores.psnr for name, scores in yardsticks.items()}
    gains = ", ".join(f"{best - psnr:+.2f} dB against {called(name)}" for name, psnr in against.items())
    trivial = {name: scores.psnr for name, scores in yardsticks.items() if name != REFERENCE}
    above = [name.replace("_", " ") for name, psnr in trivial.items() if psnr >= best]
    warning = f". It is not better than {without_model(above)}: train longer (training.steps)" if above else ""
    return f"best: trial {first.number} with {best:.2f} dB; {gains}{warning}"


def without_model(names: Sequence[str]) -> str:
    """Yardsticks as they stand in a sentence: "black and grey, which need no model"."""
    return f"{' and '.join(names)}, which {'needs' if len(names) == 1 else 'need'} no model"
