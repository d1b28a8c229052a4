import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from model.evaluation.scores import METRICS
from model.settings import change, flatten, identity
from model.training.measurement import Measurement
from search.preparation import Preparation
from search.record import TrainingRecord, find_study_run, open_study_run, start_training_record, to_toml
from search.settings import Settings, load_settings, recipe_of, recorded
from tests.places import DATABASES, at
from tracking.query import find_runs, history, read_json
from tracking.store import artifact_folder

pytestmark = at(*DATABASES)

PICTURE = np.full((6, 8, 3), 200, np.uint8)


@pytest.fixture
def started(prepared: Preparation, tiny: Callable[..., Settings]) -> TrainingRecord:
    return start_training_record(prepared, tiny(), name="trial 000", role="trial", parent=None, tags={"study": "s"})


def read(prepared: Preparation, run_id: str) -> MlflowRun:
    return MlflowClient(tracking_uri=prepared.store.uri).get_run(run_id)


def evaluated(prepared: Preparation, step: int) -> Measurement:
    """A measurement whose scores are those of a grey picture."""
    scores = prepared.yardsticks["grey"]
    return Measurement(step, {"loss/total": 0.5, **scores.metrics()}, scores, PICTURE)


def test_a_training_begins_with_its_settings_and_where_it_comes_from(
    prepared: Preparation, started: TrainingRecord, tiny: Callable[..., Settings]
) -> None:
    run = read(prepared, started.run.id)
    assert run.data.params == {name: str(value) for name, value in flatten(recipe_of(tiny())).items()}
    assert (run.info.status, run.info.run_name) == ("RUNNING", "trial 000")
    tags = run.data.tags
    assert (tags["role"], tags["study"], tags["state"]) == ("trial", "s", "running")
    assert (tags["identity"], tags["data_digest"]) == (identity(recipe_of(tiny())), prepared.bank.digest)
    manifest = read_json(prepared.store, started.run.id, "provenance/data_manifest.json")
    assert manifest == prepared.bank.facts["manifest"]
    assert started.folder.is_dir()
    assert started.folder.is_relative_to(prepared.store.root)


def test_its_settings_read_back_as_a_file(
    prepared: Preparation, started: TrainingRecord, tiny: Callable[..., Settings]
) -> None:
    path = artifact_folder(prepared.store, started.run.id) / "conf.toml"
    assert load_settings(path, "cpu", ()) == recorded(tiny())
    assert load_settings(path, "h100", ()) == recorded(tiny())  # resolved: no profile is left in it


def test_settings_that_toml_finds_hard_read_back(tiny: Callable[..., Settings], tmp_path: Path) -> None:
    hard = change(
        tiny(),
        {"optimizer.learning_rate": 1e-30, "data.source": "/ä\"b'\\c", "network.encoder_time_strides": [1, 2, 2]},
    )
    path = tmp_path / "conf.toml"
    path.write_text(to_toml(hard))
    assert load_settings(path, "cpu", ()) == recorded(hard)


def test_what_is_measured_reads_back(prepared: Preparation, started: TrainingRecord) -> None:
    started.measure(Measurement(1, {"loss/total": 0.75, "learning_rate": 1e-4}))
    started.measure(evaluated(prepared, 2))
    assert (started.step, started.scores) == (2, prepared.yardsticks["grey"])
    assert started.curves["loss/total"] == [(1, 0.75), (2, 0.5)]
    started.write_results(keep_checkpoint=False)
    started.close("FINISHED")

    client = MlflowClient(tracking_uri=prepared.store.uri)
    points = client.get_metric_history(started.run.id, "loss/total")
    assert [(point.step, point.value) for point in points] == [(1, 0.75), (2, 0.5)]
    run = read(prepared, started.run.id)
    assert (run.info.status, run.data.tags["state"]) == ("FINISHED", "complete")
    assert run.data.metrics["val/psnr"] == pytest.approx(prepared.yardsticks["grey"].psnr)
    evaluation = read_json(prepared.store, started.run.id, "evaluation.json")
    assert (evaluation["step"], len(evaluation["clips"])) == (2, 4)
    assert evaluation["yardsticks"]["reference"]["psnr"] == pytest.approx(prepared.yardsticks["reference"].psnr)
    pictures = list((artifact_folder(prepared.store, started.run.id) / "images").glob("*validation*step*2*.png"))
    assert pictures


def test_a_value_that_is_not_finite_is_named_and_loses_nothing(prepared: Preparation, started: TrainingRecord) -> None:
    started.measure(Measurement(1, {"loss/total": math.nan, "gradient/norm": 2.0}))
    started.write_results(keep_checkpoint=False, failure="losses must be finite")
    started.close("KILLED", "losses must be finite")
    run = read(prepared, started.run.id)
    assert run.data.tags["nonfinite"] == "loss/total at step 1"
    assert run.data.metrics["gradient/norm"] == 2.0
    assert (run.info.status, run.data.tags["state"]) == ("KILLED", "pruned")


def test_a_failed_training_says_why_and_leaves_no_files(prepared: Preparation, started: TrainingRecord) -> None:
    started.write_results(keep_checkpoint=False, failure="its worker ended with exit code -9")
    started.close("FAILED", "its worker ended with exit code -9")
    run = read(prepared, started.run.id)
    assert (run.info.status, run.data.tags["state"]) == ("FAILED", "failed")
    assert run.data.tags["reason"] == "its worker ended with exit code -9"
    folder = artifact_folder(prepared.store, started.run.id)
    assert {"diagnosis.json", "diagnosis.md", "diagnosis.zh.md"} <= {path.name for path in folder.iterdir()}
    assert not (folder / "evaluation.json").exists()
    assert not started.folder.exists()


@pytest.mark.parametrize("keep", [True, False])
def test_the_checkpoint_is_kept_only_when_asked_for(prepared: Preparation, started: TrainingRecord, keep: bool) -> None:
    (started.folder / "checkpoint").mkdir()
    (started.folder / "checkpoint" / "model.safetensors").write_bytes(b"weights")
    started.measure(evaluated(prepared, 4))
    started.write_results(keep_checkpoint=keep)
    started.close("FINISHED")
    kept = artifact_folder(prepared.store, started.run.id) / "checkpoint" / "model.safetensors"
    assert kept.exists() == keep
    assert not keep or kept.read_bytes() == b"weights"
    assert not started.folder.exists()


def test_the_diagnosis_is_of_this_training(prepared: Preparation, started: TrainingRecord) -> None:
    # Mean colours are scored: the diagnosis must see these scores and the yardsticks to say that they beat nothing.
    scores = prepared.yardsticks["mean_colour"]
    started.measure(Measurement(4, {"loss/total": 0.5, **scores.metrics()}, scores, PICTURE))
    diagnosis = started.write_results(keep_checkpoint=False)
    codes = [finding["code"] for finding in read_json(prepared.store, started.run.id, "diagnosis.json")["findings"]]
    assert "score.below_trivial" in codes
    assert codes == [finding.code for finding in diagnosis.findings]
    assert read(prepared, started.run.id).data.tags["diagnosis"] == diagnosis.verdict


def test_the_summary_names_the_last_scores(prepared: Preparation, started: TrainingRecord) -> None:
    started.measure(evaluated(prepared, 4))
    assert started.summary().startswith(f"score {prepared.yardsticks['grey'].score:.4g}, psnr ")


def test_a_study_has_one_run_however_often_it_is_opened(prepared: Preparation, tiny: Callable[..., Settings]) -> None:
    parent = open_study_run(prepared, tiny(), "taehv-12345678")
    parent.finish("KILLED")
    assert open_study_run(prepared, tiny(), "taehv-12345678").id == parent.id
    assert open_study_run(prepared, tiny(), "taehv-87654321").id != parent.id
    assert len(find_runs(prepared.store, role="study")) == 2
    run = read(prepared, parent.id)
    assert run.info.status == "RUNNING"
    assert run.data.params["search.startup_trials"] == "10"
    assert run.data.metrics["yardstick/grey/psnr"] == pytest.approx(prepared.yardsticks["grey"].psnr)
    folder = artifact_folder(prepared.store, parent.id)
    assert json.loads((folder / "yardsticks.json").read_text()).keys() == prepared.yardsticks.keys()
    assert load_settings(folder / "conf.toml", "cpu", ()) == recorded(tiny())
    assert "secret" not in (folder / "conf.toml").read_text() + str(run.data)


def test_a_study_that_is_looked_at_keeps_its_state(prepared: Preparation, tiny: Callable[..., Settings]) -> None:
    open_study_run(prepared, tiny(), "study-1").finish("FINISHED")
    (row,) = find_runs(prepared.store, role="study")
    found = find_study_run(prepared.store, "study-1")
    found.text("report.html", "page")
    assert found.id == row.id
    assert find_runs(prepared.store, role="study")[0].status == "FINISHED"
    with pytest.raises(ValueError, match="study-2 has none; go on with it"):
        find_study_run(prepared.store, "study-2")


def test_a_child_stands_below_its_study(prepared: Preparation, tiny: Callable[..., Settings]) -> None:
    parent = open_study_run(prepared, tiny(), "taehv-12345678")
    child = start_training_record(prepared, tiny(), name="t", role="trial", parent=parent, tags={"trial_number": "7"})
    tags = read(prepared, child.run.id).data.tags
    assert (tags["mlflow.parentRunId"], tags["trial_number"]) == (parent.id, "7")


def test_a_preparation_without_lpips_leaves_it_out_of_the_record(
    prepared: Preparation, tiny: Callable[..., Settings]
) -> None:
    parent = open_study_run(replace(prepared, perceptual=None), tiny(), "s")
    assert not [name for name in read(prepared, parent.id).data.metrics if "lpips" in name]


def test_the_objective_is_the_first_metric_and_nothing_measured_before_it_is_lost(
    prepared: Preparation, started: TrainingRecord
) -> None:
    started.measure(Measurement(1, {"adam/share": 0.25, "loss/total": 2.0}))
    started.measure(evaluated(prepared, 2))
    started.measure(Measurement(3, {"adam/share": 0.5, "loss/total": 1.0}))
    started.run.flush()
    metrics = read(prepared, started.run.id).data.metrics
    assert list(metrics)[: len(METRICS) - 2] == [name for name in METRICS if name not in ("val/lpips", "val/overall")]
    assert history(prepared.store, started.run.id, "loss/total") == [(1, 2.0), (2, 0.5), (3, 1.0)]
    assert history(prepared.store, started.run.id, "adam/share") == [(1, 0.25), (3, 0.5)]
    assert len(history(prepared.store, started.run.id, "score")) == 1


def test_a_training_that_was_never_scored_keeps_its_curves(prepared: Preparation, started: TrainingRecord) -> None:
    started.measure(Measurement(1, {"loss/total": 2.0}))
    started.write_results(keep_checkpoint=False, failure="it broke off")
    assert history(prepared.store, started.run.id, "loss/total") == [(1, 2.0)]
