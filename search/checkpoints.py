"""Which trials keep their checkpoints."""

from optuna import Study

from search.ranking import rank
from tracking.run import remove_checkpoint
from tracking.store import Store


def is_kept(study: Study, score: float, keep: int) -> bool:
    """Whether a trial with this score is among the best `keep` of the study so far."""
    return sum(row.metrics.get("score", float("-inf")) > score for row in rank(study)[:keep]) < keep


def drop_checkpoints(study: Study, store: Store, keep: int, most: int | None = None) -> None:
    """Remove the checkpoints of trials that are not among the best `keep`; `most`: only of that many next best."""
    for row in rank(study)[keep:][:most]:
        remove_checkpoint(store, row.run_id)
