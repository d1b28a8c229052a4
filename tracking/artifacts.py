"""The files of runs: written below the record's folder, and copied to a server that keeps them."""

import uuid
from pathlib import Path

from mlflow.artifacts import download_artifacts

from tracking.failure import record_errors
from tracking.operations import Upload
from tracking.store import Store, artifact_folder, own_folder

#: Where files of runs that another machine trained are fetched to.
FETCHED = "fetched"


def fetch(store: Store, run_id: str, path: str) -> Path:
    """A file of a run, from this machine or from the server.

    Raises:
        FileNotFoundError: the run has no such artifact.
        ValueError: the path leads out of the run's folder.
    """
    folder = artifact_folder(store, run_id)
    file = (folder / path).resolve()
    if not file.is_relative_to(folder):
        raise ValueError(
            f"an artifact must lie in its run's folder, but '{path}' does not; give a path such as evaluation.json"
        )
    if file.exists() or not store.uploads:
        return file
    with record_errors(f"reading {path} of run {run_id}"):
        known = store.delivery.id_of(run_id)
        there = {entry.path for entry in store.client.list_artifacts(known, Path(path).parent.as_posix().strip("."))}
        if path not in there:
            return file
        # What another machine writes may change: it is fetched each time, and stands apart from what was written here.
        target = (store.root / FETCHED / known / path).parent
        target.mkdir(parents=True, exist_ok=True)
        return Path(download_artifacts(run_id=known, artifact_path=path, dst_path=str(target), tracking_uri=store.uri))


def write_artifact(store: Store, run_id: str, path: str, content: bytes) -> None:
    """Write a file among the artifacts of a run, whole or not at all."""
    file = own_folder(store, run_id) / path
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{uuid.uuid4().hex[:8]}")
    try:
        draft.write_bytes(content)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)
    upload(store, run_id, path)


def upload_again(store: Store, run_id: str) -> None:
    """Copy all that this machine wrote of a run to the server: a kill may have come between a file and its copy."""
    folder = own_folder(store, run_id)
    if store.uploads and folder.is_dir():
        for path in sorted(folder.iterdir()):
            with record_errors(f"uploading {path.name} of run {run_id}"):
                upload(store, run_id, path.name)


def upload(store: Store, run_id: str, path: str) -> None:
    """Copy what was written to the server, where one keeps artifacts."""
    if store.uploads:
        store.outbox.send(Upload(run_id, path))
