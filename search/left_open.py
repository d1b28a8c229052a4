"""What commands with other settings left open when they were killed: other studies, and single trainings."""

from collections.abc import Callable
from dataclasses import replace

import optuna
from optuna.storages import RDBStorage

from search.holder import Holder
from search.lease import StudyHeldError, take_lease
from search.preparation import running_folder
from search.reconcile import KILLED, close_run, close_runs, close_trials, conclude_run
from tracking.query import open_runs
from tracking.run import Run, move_checkpoint, reopen_run
from tracking.store import Store

#: Tag of a single training with the process that takes it: nobody has a lease of it.
HOLDER = "holder"


def close_other_studies(storage: RDBStorage, store: Store, own: str, say: Callable[[str], None]) -> None:
    """Close what killed commands left open of the other studies of this storage; one that somebody holds is left alone.

    Their checkpoints stay: how many a study keeps is said by its own settings.

    Args:
        storage: of the studies.
        store: of their runs.
        own: name of the study that this command holds.
        say: prints a line.
    """
    left = [row for row in open_runs(store, role="study") if row.tags.get("study") != own]
    known = optuna.get_all_study_names(storage) if left else []
    for row in left:
        name = row.tags.get("study", "")
        if name not in known:
            continue
        try:
            lease = take_lease(storage, name, say)
        except StudyHeldError:
            continue
        try:
            study, parent = optuna.load_study(study_name=name, storage=storage), Run(store, row.id)
            close_trials(study, say)
            close_runs(study, store, parent, say)
            parent.tags({"state": "interrupted", "reason": KILLED})
            parent.finish("KILLED")
            say(f"study {name} was left open: closed as interrupted, its own command goes on with it")
        finally:
            lease.close()


def close_trainings(store: Store, say: Callable[[str], None]) -> None:
    """Close the single trainings whose process has ended without a word; what they saved last is kept."""
    for row in open_runs(store, role="train"):
        if HOLDER not in row.tags or Holder.from_text(row.tags[HOLDER]).lives() is not False:
            continue
        run, tags = reopen_run(store, row.id), {"state": "failed", "reason": KILLED}
        conclude_run(store, replace(row, tags=row.tags | tags), run)
        for name in row.names:
            move_checkpoint(store, row.id, running_folder(store) / name / "checkpoint")
        close_run(store, row, run, "FAILED", tags)
        say(f"run '{row.name}' was left open: closed as FAILED")
