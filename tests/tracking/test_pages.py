"""Which pages are offered."""

import json
from urllib.parse import parse_qs, urlparse

from tracking.pages import COMPARED_RUNS, pages
from tracking.run import Run, start_run
from tracking.store import Store

BASE = "http://127.0.0.1:5000"


def scored(store: Store, study: Run, score: float, state: str = "FINISHED", **tags: str) -> Run:
    run = start_run(store, f"trial with {score}", "trial", study, tags)
    run.metrics({"score": score}, 10)
    run.finish(state)
    return run


def compared(found: dict[str, str]) -> tuple[str, list[str], list[str]]:
    ((title, address),) = [(title, address) for title, address in found.items() if "compare-runs" in address]
    query = parse_qs(urlparse(urlparse(address).fragment).query)
    return title, json.loads(query["runs"][0]), json.loads(query["experiments"][0])


def test_an_empty_record_has_one_page(store: Store) -> None:
    address = f"{BASE}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    assert pages(store, BASE) == {"all runs": address}


def test_the_newest_study_and_its_best_finished_runs_are_shown(store: Store) -> None:
    start_run(store, "older", "study", None, {}).finish("FINISHED")
    study = start_run(store, "newer", "study", None, {})
    scores = [50.0, 70.0, 20.0, 60.0, 40.0, 30.0]
    ids = {scored(store, study, score).id: score for score in scores}
    scored(store, study, 99.0, "KILLED")
    start_run(store, "trial without a score", "trial", study, {}).finish("FINISHED")

    found = pages(store, BASE)

    assert (
        found["study newer"]
        == f"{BASE}/#/experiments/{store.experiment_id}/runs/{study.id}?workflowType=machine_learning"
    )
    title, runs, experiments = compared(found)
    assert title == "its best 5 runs compared"
    assert [ids[run_id] for run_id in runs] == sorted(scores)[: -1 - COMPARED_RUNS : -1]
    assert experiments == [store.experiment_id]


def test_the_best_stand_beside_the_baselines_that_are_not_among_them(store: Store) -> None:
    study = start_run(store, "s", "study", None, {})
    poor, good = scored(store, study, 1.0, baseline="seed_old"), scored(store, study, 80.0, baseline="seed_new")
    others = [scored(store, study, 50.0 + place) for place in range(4)]
    title, runs, _ = compared(pages(store, BASE))
    assert title == "its best 5 runs compared beside 1 baseline"
    assert runs == [good.id, *(run.id for run in reversed(others)), poor.id]


def test_trials_are_listed_as_a_table_and_as_curves_by_the_view_of_the_study(store: Store) -> None:
    study = start_run(store, "s-1", "study", None, {})
    scored(store, study, 1.0)
    found = pages(store, BASE)
    runs = f"{BASE}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    assert found["its trials, best first"] == f"{runs}&viewStateShareKey={study.id}"
    assert found["their curves and pictures"] == f"{runs}&viewStateShareKey={study.id}&compareRunsMode=CHART"
    assert f"mlflow.sharedViewState.{study.id}" in store.client.get_experiment(store.experiment_id).tags


def test_artifacts_are_offered_where_they_are(store: Store) -> None:
    study = start_run(store, "s", "study", None, {})
    best = scored(store, study, 9.0)
    scored(store, study, 1.0).text("summary.html", "")
    assert not any("artifacts" in address for address in pages(store, BASE).values())
    study.text("report.html", "")
    best.text("summary.html", "")
    best.text("checkpoint/clips.mp4", "")
    runs = f"{BASE}/#/experiments/{store.experiment_id}/runs"
    assert [address for address in pages(store, BASE).values() if "artifacts" in address] == [
        f"{runs}/{study.id}/artifacts/report.html?workflowType=machine_learning",
        f"{runs}/{best.id}/artifacts/summary.html?workflowType=machine_learning",
        f"{runs}/{best.id}/artifacts/checkpoint/clips.mp4?workflowType=machine_learning",
    ]
