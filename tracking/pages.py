"""Addresses of the MLflow pages that show something: MLflow's own front page does not show the runs."""

import json
from urllib.parse import quote

from tracking.query import RunRow, children, find_runs
from tracking.store import Store, own_folder
from tracking.view import share_view

#: MLflow draws at most ten runs beside each other; five keep the picture readable.
COMPARED_RUNS = 5
#: Without it MLflow shows its menu for language models, and in a fresh browser a list in which no run is visible.
TRAINING = "workflowType=machine_learning"
RUNS = f"runs?{TRAINING}"


def pages(store: Store, base: str) -> dict[str, str]:
    """What to open, by what it shows: all runs, and of the newest study its report, its trials, the best beside the baselines.

    Args:
        store: the record.
        base: address of the server, such as "http://127.0.0.1:5000".
    """
    experiment = f"{base}/#/experiments/{store.experiment_id}"
    found = {"all runs": f"{experiment}/{RUNS}"}
    studies = find_runs(store, role="study")
    return found | (study_pages(store, base, experiment, studies[-1]) if studies else {})


def study_pages(store: Store, base: str, experiment: str, study: RunRow) -> dict[str, str]:
    """The pages of one study; those that it has nothing for are left out. Writes how its trials are shown into the record."""
    found = {f"study {study.name}": f"{experiment}/runs/{study.id}?{TRAINING}"}
    found |= artifact_page(store, experiment, study, "report.html", "its report")
    rows = children(store, study.id)
    if not rows:
        return found
    trials = f"{experiment}/{RUNS}&viewStateShareKey={share_view(store, study, rows)}"
    found["its trials, best first"] = trials
    found["their curves and pictures"] = f"{trials}&compareRunsMode=CHART"
    best = best_runs(rows)
    compared = best + [row for row in rows if is_baseline(row) and row not in best]
    if len(compared) > 1:
        others = len(compared) - len(best)
        beside = f" beside {others} {'baseline' if others == 1 else 'baselines'}" if others else ""
        found[f"its best {len(best)} runs compared{beside}"] = compare_page(store, base, compared)
    if best:
        found |= artifact_page(store, experiment, best[0], "summary.html", "the best run")
        found |= artifact_page(store, experiment, best[0], "checkpoint/clips.mp4", "its film, input beside output")
    return found


def best_runs(rows: list[RunRow]) -> list[RunRow]:
    """The finished runs with the highest scores, the best first."""
    scored = [row for row in rows if is_scored(row)]
    return sorted(scored, key=lambda row: -row.metrics["score"])[:COMPARED_RUNS]


def is_scored(row: RunRow) -> bool:
    """Whether a run came to its end with a score."""
    return row.status == "FINISHED" and "score" in row.metrics


def is_baseline(row: RunRow) -> bool:
    """Whether a run has settings that every study tries, and a score."""
    return "baseline" in row.tags and is_scored(row)


def artifact_page(store: Store, experiment: str, row: RunRow, path: str, title: str) -> dict[str, str]:
    """The page of a run's artifact, where this machine has it."""
    there = any((own_folder(store, name) / path).is_file() for name in row.names)
    return {title: f"{experiment}/runs/{row.id}/artifacts/{path}?{TRAINING}"} if there else {}


def compare_page(store: Store, base: str, rows: list[RunRow]) -> str:
    """MLflow's page with parallel coordinates, scatter plots and the differing parameters of some runs."""
    runs, experiments = (
        quote(json.dumps(ids, separators=(",", ":"))) for ids in ([row.id for row in rows], [store.experiment_id])
    )
    return f"{base}/#/compare-runs?runs={runs}&experiments={experiments}&{TRAINING}"
