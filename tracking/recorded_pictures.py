"""Pictures back from the record."""

from pathlib import Path

from tracking.artifacts import fetch
from tracking.failure import record_errors
from tracking.pictures import FOLDER, LARGE, names_by_step
from tracking.store import Store, artifact_folder


def pictures_of(store: Store, run_id: str, key: str) -> dict[int, Path]:
    """The image files of one series by step; of a step that was drawn twice, the newer.

    Args:
        store: the record.
        run_id: of the run; it must be in the record.
        key: name of the series of images.
    """
    names = names_by_step(image_names(store, run_id), key, LARGE)
    return {step: fetch(store, run_id, f"{FOLDER}/{name}") for step, name in names.items()}


def image_names(store: Store, run_id: str) -> list[str]:
    """Names of a run's image files, on this machine or on the server that keeps them."""
    folder = artifact_folder(store, run_id) / FOLDER
    if folder.is_dir() or not store.uploads:
        return [path.name for path in folder.iterdir()] if folder.is_dir() else []
    with record_errors(f"listing the pictures of run {run_id}"):
        entries = store.client.list_artifacts(store.delivery.id_of(run_id), FOLDER)
    return [Path(entry.path).name for entry in entries]
