"""What the record says of how MLflow shows the trials of a study; whether MLflow understands it is seen in tests/browser."""

import json

from tracking.query import children, find_runs
from tracking.run import Run, start_run
from tracking.store import Store
from tracking.view import share_view


def view_of(store: Store, study: Run) -> dict:
    (row,) = [row for row in find_runs(store, role="study") if row.id == study.id]
    key = share_view(store, row, children(store, study.id))
    assert key == study.id
    return json.loads(store.client.get_experiment(store.experiment_id).tags[f"mlflow.sharedViewState.{key}"])


def trial(store: Store, study: Run, steps: int) -> Run:
    run = start_run(store, "trial", "trial", study, {})
    run.parameters({"training.steps": steps, "losses.encoder": 1.0})
    return run


def test_trials_are_listed_flat_by_score_with_what_was_searched(store: Store) -> None:
    view = view_of(store, start_run(store, "s-1", "study", None, {}))
    assert view["searchFilter"] == "tags.study = 's-1' and tags.role = 'trial'"
    assert (view["orderByKey"], view["orderByAsc"]) == ("metrics.`score`", False)
    assert view["selectedColumns"][0] == "metrics.`score`"
    assert view["selectedColumns"][5:] == [
        *(f"params.`losses.{name}`" for name in ("encoder", "decoder", "reconstruction", "perceptual", "seraena")),
        "params.`optimizer.learning_rate`",
        "params.`schedule.kind`",
    ]


def test_pictures_are_those_of_the_last_step(store: Store) -> None:
    study = start_run(store, "s", "study", None, {})
    trial(store, study, 310)
    start_run(store, "trial without parameters", "trial", study, {})
    charts = view_of(store, study)["compareRunCharts"]
    assert [(chart["imageKeys"], chart["step"]) for chart in charts] == [
        (["validation"], 310),
        (["worst_and_best"], 310),
    ]


def test_the_view_of_each_study_is_kept_and_small_enough_for_a_tag(store: Store) -> None:
    studies = [start_run(store, f"taehv-{number:08d}", "study", None, {}) for number in range(2)]
    views = [view_of(store, study) for study in studies]
    tags = store.client.get_experiment(store.experiment_id).tags
    assert [json.loads(tags[f"mlflow.sharedViewState.{study.id}"]) for study in studies] == views
    assert max(len(value) for value in tags.values()) < 5000  # MLflow's limit
