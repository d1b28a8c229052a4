"""Room for one worker, and what it is at."""

from dataclasses import dataclass, field

from optuna import Trial

from search.busy import BusyTime
from search.record import TrainingRecord
from search.workers.handle import WorkerHandle


@dataclass
class Running:
    """A trial that a worker trains, in both records."""

    trial: Trial
    record: TrainingRecord
    kept: bool = False  # whether its checkpoint is wanted; known at its last evaluation


@dataclass
class Slot:
    """A worker, the trial that it trains, and when something was last heard of it."""

    worker: WorkerHandle
    heard_s: float
    number: int = 0  # its place among the workers
    ready: bool = False
    deaths_at_start: int = 0  # of its workers since one was ready
    running: Running | None = None
    busy: BusyTime = field(default_factory=BusyTime)

    def silent_s(self, now_s: float) -> float:
        """Seconds without a word of its start or its trial; 0 when it waits for a trial, or a word waits to be heard."""
        if (self.ready and self.running is None) or self.worker.connection.poll():
            return 0.0
        return now_s - self.heard_s
