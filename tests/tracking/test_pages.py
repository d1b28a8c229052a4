"""Which pages are offered."""

import json
from urllib.parse import parse_qs, urlparse

from tracking.pages import COMPARED_RUNS, pages
from tracking.run import start_run
from tracking.store import Store

BASE = "http://127.0.0.1:5000"


def test_an_empty_record_has_one_page(store: Store) -> None:
    address = f"{BASE}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    assert pages(store, BASE) == {"all runs": address}


def test_the_newest_study_and_its_best_finished_runs_are_shown(store: Store) -> None:
    start_run(store, "older", "study", None, {}).finish("FINISHED")
    study = start_run(store, "newer", "study", None, {})
    scores = [50.0, 70.0, 20.0, 60.0, 40.0, 30.0, 99.0]
    ids = {}
    for score in scores:
        run = start_run(store, f"trial with {score}", "trial", study, {})
        run.metrics({"score": score}, 10)
        run.finish("KILLED" if score == 99.0 else "FINISHED")
        ids[run.id] = score
    start_run(store, "trial without a score", "trial", study, {}).finish("FINISHED")

    found = pages(store, BASE)

    assert found["study newer"] == f"{BASE}/#/experiments/{store.experiment_id}/runs/{study.id}"
    (compared,) = [address for address in found.values() if "compare-runs" in address]
    query = parse_qs(urlparse(urlparse(compared).fragment).query)
    assert [ids[run_id] for run_id in json.loads(query["runs"][0])] == sorted(scores)[-2 : -2 - COMPARED_RUNS : -1]
    assert json.loads(query["experiments"][0]) == [store.experiment_id]
