"""Addresses of the MLflow pages that show something: MLflow's own front page does not show the runs."""

import json
from urllib.parse import quote

from tracking.query import RunRow, children, find_runs
from tracking.store import Store

#: MLflow draws at most ten runs beside each other; five keep the picture readable.
COMPARED_RUNS = 5


def pages(store: Store, base: str) -> dict[str, str]:
    """What to open, by what it shows: all runs, the newest study, its best runs side by side.

    Args:
        store: the record.
        base: address of the server, such as "http://127.0.0.1:5000".
    """
    experiment = f"{base}/#/experiments/{store.experiment_id}/runs"
    # Without workflowType a fresh browser lands on MLflow's page for language models, where no run is visible.
    found = {"all runs": f"{experiment}?workflowType=machine_learning"}
    studies = find_runs(store, role="study")
    if studies:
        study = studies[-1]
        found[f"study {study.name}"] = f"{experiment}/{study.id}"
        best = best_runs(children(store, study.id))
        if len(best) > 1:
            found[f"its best {len(best)} runs compared"] = compare_page(store, base, best)
    return found


def best_runs(rows: list[RunRow]) -> list[RunRow]:
    """The finished runs with the highest scores, the best first."""
    scored = [row for row in rows if row.status == "FINISHED" and "score" in row.metrics]
    return sorted(scored, key=lambda row: -row.metrics["score"])[:COMPARED_RUNS]


def compare_page(store: Store, base: str, rows: list[RunRow]) -> str:
    """MLflow's page with parallel coordinates, scatter plots and the differing parameters of some runs."""
    runs, experiments = (
        quote(json.dumps(ids, separators=(",", ":"))) for ids in ([row.id for row in rows], [store.experiment_id])
    )
    return f"{base}/#/compare-runs?runs={runs}&experiments={experiments}"
