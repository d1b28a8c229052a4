"""Which trials keep their checkpoints."""

import bisect
from dataclasses import dataclass, field

from optuna import Study

from search.ranking import rank
from tracking.run import remove_checkpoint
from tracking.store import Store


@dataclass
class Best:
    """The complete trials that keep their checkpoints, best first; of equal scores the older trial's.

    A coordinator asks it instead of the study: its answer takes as long after a thousand trials as after ten.
    """

    keep: int
    trials: list[tuple[float, int, str]] = field(default_factory=list)  # minus the score, number, run id

    def takes(self, score: float) -> bool:
        """Whether a trial with this score is no worse than the last that keeps its checkpoint."""
        return sum(-other > score for other, _number, _run_id in self.trials) < self.keep

    def add(self, score: float, number: int, run_id: str) -> str | None:
        """Take a complete trial; returns the run that loses its place, which may be that of the trial itself."""
        bisect.insort(self.trials, (-score, number, run_id))
        return self.trials.pop()[2] if len(self.trials) > self.keep else None


def best_of(study: Study, keep: int) -> Best:
    """Read the best `keep` complete trials from the study."""
    rows = [row for row in rank(study) if row.state == "COMPLETE"][:keep]
    return Best(keep, [(-row.metrics["score"], row.number, row.run_id) for row in rows])


def add_checkpoint(best: Best, store: Store, score: float, number: int, run_id: str) -> None:
    """Count a complete trial among the best, and remove the checkpoint of the one that it leaves no place."""
    dropped = best.add(score, number, run_id)
    if dropped is not None:
        remove_checkpoint(store, dropped)


def drop_checkpoints(study: Study, store: Store, keep: int) -> None:
    """Remove the checkpoints of all trials that are not among the best `keep`."""
    for row in rank(study)[keep:]:
        remove_checkpoint(store, row.run_id)
