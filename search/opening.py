"""Everything of a study opened and brought into agreement, before its first trial."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from optuna import Study
from optuna.distributions import BaseDistribution
from optuna.storages import RDBStorage

from search.lease import Lease, take_lease
from search.left_open import close_other_studies, close_trainings
from search.patience import PatientStorage
from search.preparation import Preparation, prepare
from search.reconcile import reconcile
from search.record import find_study_run, open_study_run
from search.settings import Settings
from search.signals import StopRequest
from search.space import distributions
from search.storage import open_storage
from search.study import TARGET, enqueue_baselines, find_study, finished, load_study, study_name
from tracking.run import Run


@dataclass(frozen=True)
class StudyRecord:
    """A study in both records, and what its trials share."""

    study: Study
    prepared: Preparation
    parent: Run

    def num_finished(self) -> int:
        """How many trials count towards --trials."""
        return len(finished(self.study))


@dataclass(frozen=True)
class OpenStudy(StudyRecord):
    """The same in the hands of its one coordinator, with its space."""

    storage: RDBStorage
    space: dict[str, BaseDistribution]
    lease: Lease

    def heed(self, stop: StopRequest) -> None:
        """Have a study that waits for its database hear a request to stop."""
        if isinstance(self.storage, PatientStorage):
            self.storage.stop = stop

    def queue_baselines(self, settings: Settings) -> None:
        """Make the baselines of conf.toml the first trials of a study that does not have them yet."""
        enqueue_baselines(self.study, settings.search, self.prepared.perceptual is not None)


@contextlib.contextmanager
def closed_on_error(parent: Run) -> Iterator[None]:
    """End the run of a study that does not come to its trials within the block; the error goes on."""
    try:
        yield
    except BaseException as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        reason = str(error) or type(error).__name__
        parent.tags({"state": "interrupted" if interrupted else "failed", "reason": reason})
        parent.finish("KILLED" if interrupted else "FAILED")
        raise


def look_at_study(settings: Settings, say: Callable[[str], None]) -> StudyRecord:
    """Open a study to read it: nobody needs to let go of it, and nothing of it is closed or changed.

    Raises:
        ValueError: settings or data break a rule, or there is no such study.
        RuntimeError: the record cannot be used.
    """
    storage = open_storage(Path(settings.tracking.root), settings.search.storage, say)
    prepared = prepare(settings, say, to_train=False)
    study = find_study(settings, storage, prepared.perceptual is not None, digest_of(prepared))
    return StudyRecord(study, prepared, find_study_run(prepared.store, study.study_name))


def digest_of(prepared: Preparation) -> str:
    """What a study's data and reference are known by."""
    return f"{prepared.bank.digest}-{prepared.bank.facts['reference']['identity']}"


def open_everything(settings: Settings, say: Callable[[str], None], target: int | None = None) -> OpenStudy:
    """Open both databases, make the bank, take, make or load the study, and close what a killed command left open.

    Args:
        settings: of the study.
        say: prints a line.
        target: finished trials that the study shall have; None opens only a study that is there.

    Raises:
        ValueError: settings or data break a rule, or there is no such study.
        RuntimeError: the record cannot be used, or another process holds the study.
    """
    storage = open_storage(Path(settings.tracking.root), settings.search.storage, say)
    prepared = prepare(settings, say)
    perceptual = prepared.perceptual is not None
    lease = take_lease(storage, study_name(settings, perceptual), say)
    try:
        study = load_study(settings, storage, perceptual, digest_of(prepared), must_exist=target is None)
        if target is not None:
            study.set_user_attr(TARGET, target)
        parent = open_study_run(prepared, settings, study.study_name)
        with closed_on_error(parent):
            reconcile(study, prepared.store, parent, settings.tracking.keep_checkpoints, say)
            close_other_studies(storage, prepared.store, study.study_name, say)
            close_trainings(prepared.store, say)
    except BaseException:
        lease.close()
        raise
    return OpenStudy(study, prepared, parent, storage, distributions(settings.search.space, perceptual), lease)
