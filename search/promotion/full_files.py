"""Where a full run keeps its files until its end, also after a kill on the way there."""

import shutil
from collections.abc import Callable, Iterable
from pathlib import Path

from model.training.checkpoint import TRAINING, has_checkpoint
from search.preparation import running_folder
from tracking.artifacts import fetch
from tracking.query import RunRow
from tracking.run import CHECKPOINT
from tracking.store import Store


def folder_of(store: Store, row: RunRow) -> Path:
    """Where a run that is not at its end keeps its files."""
    known = [running_folder(store) / name for name in row.names]
    return next((folder for folder in known if folder.exists()), known[0])


def bring_back(store: Store, row: RunRow, folder: Path) -> None:
    """Move the checkpoint of a run that was killed after handing it to the record, and before its end, back to its files.

    Without it the command that goes on would begin at step 0, and replace the weights by those of that training.

    Raises:
        RecordError: a server has the checkpoint and cannot be read.
    """
    if has_checkpoint(folder):
        return
    handed_over = fetch(store, row.id, CHECKPOINT)
    if (handed_over / TRAINING.name).exists():
        own = folder / CHECKPOINT
        shutil.rmtree(own, ignore_errors=True)  # what a save that was killed left of its first files
        shutil.move(handed_over, own)


def warn_of_others(store: Store, rows: Iterable[RunRow], wanted: str, say: Callable[[str], None]) -> None:
    """Say which full runs of a study were interrupted and are not gone on with, since another identity is wanted now."""
    for row in rows:
        if row.status == "KILLED" and row.tags["identity"] != wanted:
            say(
                f"warning: the full run '{row.name}' was interrupted and is not gone on with: the winner or its settings are "
                f"others now; its files stay in {folder_of(store, row)}"
            )
