"""Everything of a study opened and brought into agreement, before its first trial."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from optuna import Study
from optuna.distributions import BaseDistribution

from search.lease import Lease, take_lease
from search.preparation import Preparation, prepare
from search.reconcile import reconcile
from search.record import open_study_run
from search.settings import Settings
from search.space import distributions
from search.storage import open_storage
from search.study import TARGET, enqueue_baselines, finished, load_study, study_name
from tracking.run import Run


@dataclass(frozen=True)
class OpenStudy:
    """A study in both records, its space, and what its trials share."""

    study: Study
    space: dict[str, BaseDistribution]
    prepared: Preparation
    parent: Run
    lease: Lease

    def queue_baselines(self, settings: Settings) -> None:
        """Make the baselines of conf.toml the first trials of a study that does not have them yet."""
        enqueue_baselines(self.study, settings.search, self.prepared.perceptual is not None)

    def num_finished(self) -> int:
        """How many trials count towards --trials."""
        return len(finished(self.study))


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
    digest = f"{prepared.bank.digest}-{prepared.bank.facts['reference']['identity']}"
    lease = take_lease(storage, study_name(settings, perceptual), say)
    try:
        study = load_study(settings, storage, perceptual, digest, must_exist=target is None)
        if target is not None:
            study.set_user_attr(TARGET, target)
        parent = open_study_run(prepared, settings, study.study_name)
        reconcile(study, prepared.store, parent, settings.tracking.keep_checkpoints, say)
    except BaseException:
        lease.close()
        raise
    return OpenStudy(study, distributions(settings.search.space, perceptual), prepared, parent, lease)
