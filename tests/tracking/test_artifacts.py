"""Files of runs on this machine, on the server, and on the way between them."""

import shutil
from pathlib import Path

import pytest

from tracking.artifacts import fetch, upload_again, write_artifact
from tracking.run import Run, move_checkpoint, remove_checkpoint, start_run
from tracking.store import Store, own_folder


@pytest.fixture
def run(far_store: Store) -> Run:
    return start_run(far_store, "trial 0", "trial", None, {})


def on_the_server(store: Store, run: Run, folder: str = "") -> set[str]:
    return {entry.path for entry in store.client.list_artifacts(run.id, folder or None)}


def test_a_file_stands_here_and_on_the_server(far_store: Store, run: Run) -> None:
    write_artifact(far_store, run.id, "provenance/versions.json", b"{}")
    assert fetch(far_store, run.id, "provenance/versions.json").read_bytes() == b"{}"
    assert on_the_server(far_store, run, "provenance") == {"provenance/versions.json"}


def test_a_file_is_written_whole_or_not_at_all(far_store: Store, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    write_artifact(far_store, run.id, "a.json", b"old")

    def half(path: Path, content: bytes) -> None:
        with path.open("wb") as file:
            file.write(content[:1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space"):
        write_artifact(far_store, run.id, "a.json", b"new")
    assert fetch(far_store, run.id, "a.json").read_bytes() == b"old"
    assert [path.name for path in own_folder(far_store, run.id).iterdir()] == ["a.json"]


def test_what_another_machine_wrote_is_fetched_as_it_is_now(far_store: Store, run: Run) -> None:
    for content in (b"old", b"new"):
        write_artifact(far_store, run.id, "checkpoint/model.safetensors", content)
        shutil.rmtree(own_folder(far_store, run.id))  # as on a machine that did not train it
        assert fetch(far_store, run.id, "checkpoint/model.safetensors").read_bytes() == content
    assert not fetch(far_store, run.id, "none.json").exists()
    assert not own_folder(far_store, run.id).exists()


def test_a_path_out_of_the_run_is_refused(far_store: Store, run: Run) -> None:
    with pytest.raises(ValueError, match="must lie in its run's folder"):
        fetch(far_store, run.id, "../../mlflow.db")


def test_a_checkpoint_goes_to_the_server_and_from_it(far_store: Store, run: Run, tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / "checkpoint").mkdir()
        (tmp_path / "checkpoint" / "model.safetensors").write_bytes(b"weights")
        move_checkpoint(far_store, run.id, tmp_path / "checkpoint")
        assert on_the_server(far_store, run, "checkpoint") == {"checkpoint/model.safetensors"}
        remove_checkpoint(far_store, run.id)
        assert on_the_server(far_store, run) == set()


def test_what_a_kill_kept_from_the_server_is_uploaded_again(
    far_store: Store, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "model.safetensors").write_bytes(b"weights")
    with monkeypatch.context() as patch:
        patch.setattr("tracking.run.upload", killed)
        with pytest.raises(KeyboardInterrupt):
            move_checkpoint(far_store, run.id, tmp_path / "checkpoint")
    assert on_the_server(far_store, run) == set()
    upload_again(far_store, run.id)
    assert on_the_server(far_store, run, "checkpoint") == {"checkpoint/model.safetensors"}


def test_a_removal_that_a_kill_cut_short_is_done_by_the_next_one(
    far_store: Store, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    write_artifact(far_store, run.id, "checkpoint/model.safetensors", b"weights")
    for module, name in (("tracking.run.shutil", "rmtree"), ("tracking.outbox.Outbox", "send")):
        with monkeypatch.context() as patch:
            patch.setattr(f"{module}.{name}", killed)
            with pytest.raises(KeyboardInterrupt):
                remove_checkpoint(far_store, run.id)
        assert (own_folder(far_store, run.id) / "checkpoint").exists()
    remove_checkpoint(far_store, run.id)
    assert on_the_server(far_store, run) == set()
    assert not (own_folder(far_store, run.id) / "checkpoint").exists()


def test_the_checkpoint_of_another_machines_run_is_removed_there(far_store: Store, run: Run) -> None:
    write_artifact(far_store, run.id, "checkpoint/model.safetensors", b"weights")
    shutil.rmtree(own_folder(far_store, run.id).parent)
    remove_checkpoint(far_store, run.id)
    assert on_the_server(far_store, run) == set()
