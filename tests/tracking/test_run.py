"""A run as another program finds it in the record."""

import json
import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from PIL import Image

from tests.places import DATABASES, at
from tracking.failure import RecordError
from tracking.run import Run, State, move_checkpoint, remove_checkpoint, reopen_run, start_run
from tracking.store import Store, artifact_folder

pytestmark = at(*DATABASES)


@pytest.fixture
def run(store: Store) -> Run:
    return start_run(store, "trial 0", "trial", None, {"study": "s"})


def read(store: Store, run: Run) -> MlflowRun:
    return MlflowClient(tracking_uri=store.uri).get_run(run.id)


def test_children_know_their_parent_and_role(store: Store) -> None:
    parent = start_run(store, "study", "study", None, {})
    by_run, by_id = (start_run(store, "t", "trial", link, {"trial_number": "4"}) for link in (parent, parent.id))
    for child in (by_run, by_id):
        found = read(store, child)
        assert found.data.tags["mlflow.parentRunId"] == parent.id
        assert (found.data.tags["role"], found.data.tags["trial_number"]) == ("trial", "4")
        assert (found.info.run_name, found.info.status) == ("t", "RUNNING")
    assert "mlflow.parentRunId" not in read(store, parent).data.tags


def test_settings_of_any_number_become_parameters(store: Store, run: Run) -> None:
    run.parameters({"losses": {f"weight{i}": i / 8 for i in range(250)}, "data": {"root": "", "strides": [2, 1]}})
    found = read(store, run).data.params
    assert len(found) == 252
    assert found["losses.weight3"] == "0.375"
    assert (found["data.root"], found["data.strides"]) == ("", "[2, 1]")


def test_a_long_parameter_is_cut_and_said_to_be(store: Store, run: Run) -> None:
    run.parameters({"data.pattern": "x" * 7000, "data.seed": 0})
    found = read(store, run).data
    assert found.params["data.pattern"] == "x" * 6000
    assert found.tags["cut_parameters"].startswith("data.pattern: ")


def test_a_parameter_keeps_its_first_value(store: Store, run: Run) -> None:
    run.parameters({"a": 1})
    run.parameters({"a": 1})
    with pytest.raises(RecordError, match="not allowed"):
        run.parameters({"a": 2})
    assert read(store, run).data.params == {"a": "1"}


def test_a_long_tag_ends_in_dots(store: Store, run: Run) -> None:
    run.tags({"reason": "x" * 9000})
    assert read(store, run).data.tags["reason"] == "x" * 7997 + "..."


def test_values_that_are_not_finite_become_a_tag(store: Store, run: Run) -> None:
    run.metrics({"loss/total": math.nan, "score": 1.0}, 120)
    run.metrics({"loss/total": math.inf, "gradient/norm": -math.inf}, 130)
    again = reopen_run(store, run.id)
    again.metrics({"loss/total": math.nan, "train/psnr": math.nan}, 140)
    assert read(store, run).data.tags["nonfinite"] == (
        "loss/total at step 120, gradient/norm at step 130, train/psnr at step 140"
    )


@pytest.mark.parametrize("state", ["FINISHED", "KILLED", "FAILED"])
def test_finishing_sends_what_is_buffered(store: Store, run: Run, state: State) -> None:
    run.metrics({"score": 41.5}, 250)
    assert read(store, run).data.metrics == {}
    run.finish(state)
    found = read(store, run)
    assert found.data.metrics == {"score": 41.5}
    assert found.info.status == state
    assert found.info.end_time >= found.info.start_time


def test_a_reopened_run_goes_on(store: Store, run: Run) -> None:
    run.metrics({"score": 1.0}, 1)
    run.finish("FAILED")
    again = reopen_run(store, run.id)
    assert read(store, run).info.status == "RUNNING"
    again.metrics({"score": 2.0}, 2)
    again.finish("FINISHED")
    found = read(store, run)
    assert (found.info.status, found.data.metrics["score"]) == ("FINISHED", 2.0)


def test_a_run_that_does_not_exist_cannot_be_reopened(store: Store) -> None:
    with pytest.raises(ValueError, match="has no 'abc'"):
        reopen_run(store, "abc")


def test_texts_and_json_keep_every_character(store: Store, run: Run) -> None:
    run.text("diagnosis.zh.md", "# 诊断\n")
    run.json("evaluation.json", {"psnr": 4.24, "clips": [{"name": "视频"}]})
    folder = artifact_folder(store, run.id)
    assert (folder / "diagnosis.zh.md").read_text(encoding="utf-8") == "# 诊断\n"
    assert json.loads((folder / "evaluation.json").read_bytes()) == {"psnr": 4.24, "clips": [{"name": "视频"}]}


def test_pictures_are_there_after_a_flush_with_key_and_step(store: Store, run: Run) -> None:
    image = np.random.default_rng(0).integers(0, 256, (24, 48, 3), dtype=np.uint8)
    run.picture(image, "validation", 250)
    run.flush()
    (file,) = (artifact_folder(store, run.id) / "images").glob("*.png")
    assert file.name.startswith("validation+step+250+timestamp+")
    with Image.open(file) as stored:
        assert np.array_equal(np.asarray(stored), image)
    assert read(store, run).data.tags["mlflow.loggedImages"] == "True"  # without it the pages show no image grid


def test_a_picture_that_cannot_be_written_is_an_error_of_the_flush(
    store: Store, run: Run, full_disk: Callable[[], AbstractContextManager[None]]
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (240, 480, 3), dtype=np.uint8)
    run.picture(noise, "validation", 0)  # the run is known to have pictures: the database grows no more
    run.flush()
    with full_disk():
        run.picture(noise, "validation", 250)
        with pytest.raises(RecordError, match=f"writing a picture of run {run.id}"):
            run.flush()


def test_the_data_set_is_an_input(store: Store, run: Run) -> None:
    run.dataset("clips", "f" * 64, "provenance/data_manifest.json")
    (entry,) = read(store, run).inputs.dataset_inputs
    assert (entry.dataset.name, entry.dataset.digest) == ("clips", "f" * 36)
    assert json.loads(entry.dataset.source)["uri"] == f"runs:/{run.id}/provenance/data_manifest.json"


def test_only_the_checkpoint_is_removed(store: Store, run: Run) -> None:
    run.text("checkpoint/training.pt", "weights")
    run.text("evaluation.json", "{}")
    other = start_run(store, "other", "trial", None, {})
    other.text("checkpoint/training.pt", "weights")

    remove_checkpoint(store, run.id)
    remove_checkpoint(store, run.id)  # a second time there is nothing to do

    assert [path.name for path in artifact_folder(store, run.id).iterdir()] == ["evaluation.json"]
    assert (artifact_folder(store, other.id) / "checkpoint" / "training.pt").exists()


def test_a_checkpoint_that_is_a_link_takes_nothing_with_it(store: Store, run: Run, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("")
    run.text("evaluation.json", "{}")
    (artifact_folder(store, run.id) / "checkpoint").symlink_to(outside)
    with pytest.raises(OSError):
        remove_checkpoint(store, run.id)
    assert (outside / "precious").exists()


def test_a_checkpoint_is_moved_into_the_run_and_replaces_an_older_one(store: Store, run: Run, tmp_path: Path) -> None:
    for content in (b"old", b"new"):
        folder = tmp_path / "checkpoint"
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(content)
        move_checkpoint(store, run.id, folder)
        assert not folder.exists()
        assert (artifact_folder(store, run.id) / "checkpoint" / "model.safetensors").read_bytes() == content
    move_checkpoint(store, run.id, tmp_path / "checkpoint")  # there is none: what the run has stays
    assert (artifact_folder(store, run.id) / "checkpoint" / "model.safetensors").read_bytes() == b"new"
