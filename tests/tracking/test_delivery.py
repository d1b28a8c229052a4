"""Runs that begin while nobody answers: one run on the server in the end, with all that was written under its key."""

from pathlib import Path

import pytest

from tracking.delivery import KEY_PREFIX, UnknownRunError
from tracking.operations import KEY_TAG, Batch, Create, Remove, Status, Upload
from tracking.store import Store, artifact_folder, own_folder

KEY = f"{KEY_PREFIX}abc"
CREATE = Create(KEY, "trial 000", {"role": "trial", KEY_TAG: KEY}, 1_700_000_000_000)


def runs(store: Store) -> list:
    return store.client.search_runs([store.experiment_id])


def test_a_run_begins_as_it_was_meant_to(far_store: Store) -> None:
    run_id = far_store.delivery(CREATE, again=False)
    (run,) = runs(far_store)
    assert (run.info.run_id, run.info.run_name, run.info.start_time) == (run_id, "trial 000", 1_700_000_000_000)
    assert run.data.tags["role"] == "trial"


def test_a_run_whose_beginning_was_not_heard_of_begins_once(far_store: Store) -> None:
    first = far_store.delivery(CREATE, again=False)
    assert far_store.delivery(CREATE, again=True) == first
    assert far_store.delivery(CREATE, again=True) == first
    assert len(runs(far_store)) == 1


@pytest.mark.parametrize("written_first", [True, False])
def test_what_was_written_under_the_key_belongs_to_the_run(far_store: Store, written_first: bool) -> None:
    if written_first:
        own_folder(far_store, KEY).mkdir(parents=True)
        (own_folder(far_store, KEY) / "before.txt").write_text("before")
    run_id = far_store.delivery(CREATE, again=True)
    assert run_id is not None
    own_folder(far_store, KEY).mkdir(parents=True, exist_ok=True)
    (own_folder(far_store, KEY) / "after.txt").write_text("after")
    names = {path.name for path in artifact_folder(far_store, run_id).iterdir()}
    assert names == ({"before.txt", "after.txt"} if written_first else {"after.txt"})
    assert artifact_folder(far_store, KEY) == artifact_folder(far_store, run_id)


@pytest.mark.parametrize("killed_at", ["rename", "symlink_to"])
def test_a_kill_while_the_artifacts_move_is_mended(
    far_store: Store, killed_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_folder(far_store, KEY).mkdir(parents=True)
    (own_folder(far_store, KEY) / "a.txt").write_text("a")

    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, killed_at, killed)
        with pytest.raises(KeyboardInterrupt):
            far_store.delivery(CREATE, again=True)
    run_id = far_store.delivery(CREATE, again=True)
    assert run_id is not None
    assert (own_folder(far_store, run_id) / "a.txt").read_text() == "a"
    assert (own_folder(far_store, KEY) / "a.txt").read_text() == "a"
    assert len(runs(far_store)) == 1


def test_operations_find_their_run_by_its_key_also_in_another_process(far_store: Store) -> None:
    far_store.delivery(CREATE, again=True)
    far_store.delivery._ids.clear()  # what another process does not have
    far_store.delivery(Batch(KEY, tags={"state": "complete"}), again=True)
    far_store.delivery(Status(KEY, "FINISHED", 5), again=True)
    (run,) = runs(far_store)
    assert (run.data.tags["state"], run.info.status) == ("complete", "FINISHED")


def test_a_child_of_a_run_that_waited_too_stands_below_it(far_store: Store) -> None:
    parent = far_store.delivery(CREATE, again=True)
    child = Create(f"{KEY_PREFIX}child", "child", {"mlflow.parentRunId": KEY}, 0)
    run_id = far_store.delivery(child, again=True)
    assert run_id is not None
    assert far_store.client.get_run(run_id).data.tags["mlflow.parentRunId"] == parent


def test_a_key_that_no_run_has_is_refused(far_store: Store) -> None:
    with pytest.raises(UnknownRunError, match=f"no run {KEY_PREFIX}none"):
        far_store.delivery(Batch(f"{KEY_PREFIX}none", tags={"a": "b"}), again=True)


def test_files_and_folders_are_copied_and_removed_however_often(far_store: Store) -> None:
    run_id = far_store.delivery(CREATE, again=False)
    assert run_id is not None
    folder = own_folder(far_store, run_id)
    for path in ("conf.toml", "images/a.png", "checkpoint/model.safetensors"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(path)
    for _ in range(2):
        for path in ("conf.toml", "images/a.png", "checkpoint", "gone/meanwhile.txt"):
            far_store.delivery(Upload(run_id, path), again=True)
    there = {entry.path for entry in far_store.client.list_artifacts(run_id)}
    assert there == {"conf.toml", "images", "checkpoint"}
    assert [entry.path for entry in far_store.client.list_artifacts(run_id, "checkpoint")] == [
        "checkpoint/model.safetensors"
    ]
    for _ in range(2):
        far_store.delivery(Remove(run_id, "checkpoint"), again=True)
    assert {entry.path for entry in far_store.client.list_artifacts(run_id)} == {"conf.toml", "images"}
