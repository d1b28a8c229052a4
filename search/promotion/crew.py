"""Repeats given to the study's kind of workers: each is recorded as it goes and begins again when its worker dies."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import wait

from model.cli import InterruptedWorkError
from model.settings import change
from search.coordinator import POLL_S
from search.opening import OpenStudy
from search.progress import RepeatProgress
from search.promotion.repeats import CANDIDATE_TAG, DIVERGED_TAG, HORIZON_TAG, SEED_TAG, Plan
from search.record import TrainingRecord, open_training_record
from search.settings import Settings
from search.signals import StopRequest
from search.study import MAX_RETRIES
from search.workers.handle import WorkerHandle, ending
from search.workers.messages import Done, Failed, Progress, Ready, Supply, Task


@dataclass
class Place:
    """A worker and the repeat that it trains."""

    worker: WorkerHandle
    ready: bool = False
    plan: Plan | None = None
    record: TrainingRecord | None = None
    heard_s: float = 0.0


@dataclass
class Crew:
    """Trains planned repeats until none is left or a stop is asked for."""

    opened: OpenStudy
    settings: Settings
    progress: RepeatProgress
    stop: StopRequest
    waiting: list[Plan]
    tries: dict[str, int] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic

    def run(self, workers: list[WorkerHandle]) -> None:
        """Train; afterwards the list holds the workers that are left.

        Raises:
            RuntimeError: a repeat could not be trained, however often it was tried.
            InterruptedWorkError: the person asked to stop.
        """
        prepared = self.opened.prepared
        places = [Place(worker, heard_s=self.clock()) for worker in workers]
        for worker in workers:
            worker.supply(Supply(prepared.bank.path, prepared.perceptual is not None))
        try:
            while not self.stop and (self.waiting or any(place.plan for place in places)):
                self.opened.lease.check()
                for place in places:
                    if place.ready and place.plan is None and self.waiting:
                        self.begin(place)
                for connection in wait([place.worker.connection for place in places], timeout=POLL_S):
                    self.listen(next(place for place in places if place.worker.connection is connection))
                self.end_silent(places)
        finally:
            workers[:] = [place.worker for place in places]
            for place in places:
                if place.record is not None:
                    close_unfinished(
                        place.record, f"interrupted by {self.stop.signal_name or 'an error of the command'}"
                    )
        if self.stop:
            raise InterruptedWorkError(
                f"stopped by {self.stop.signal_name} with {len(self.waiting)} more confirmations to come; finished ones "
                "are kept, "
                "the same command goes on from here"
            )

    def begin(self, place: Place) -> None:
        """Open the run of the next repeat and send it to a worker."""
        plan = self.waiting.pop(0)
        tags = {
            "study": self.opened.study.study_name,
            CANDIDATE_TAG: str(plan.candidate.trial),
            SEED_TAG: str(plan.seed),
            HORIZON_TAG: str(plan.steps),
        } | ({"baseline": plan.candidate.baseline} if plan.candidate.baseline else {})
        record = open_training_record(
            self.opened.prepared,
            change(self.settings, plan.changes),
            name=f"confirm {plan.label}",
            role="confirm",
            parent=self.opened.parent,
            tags=tags,
        )
        place.plan, place.record, place.heard_s = plan, record, self.clock()
        place.worker.start(Task(plan.candidate.trial, plan.changes, record.folder))
        record.write_beginning(self.opened.prepared)

    def listen(self, place: Place) -> None:
        """Act on one message of a worker, or on its end."""
        place.heard_s = self.clock()
        try:
            message = place.worker.receive()
        except EOFError:
            if not self.stop:  # a signal to the whole group ends the workers too
                self.replace(place, f"its worker {ending(place.worker.stop())}")
            return
        if isinstance(message, Ready):
            place.ready = True
            return
        assert place.plan is not None, f"a worker without a repeat says {message}"
        assert place.record is not None, "a repeat has its record"
        if isinstance(message, Progress):
            if message.asks:  # its weights are wanted by nobody: the settings are confirmed, not the model
                place.worker.answer(message.measurement.step < place.plan.steps)
            place.record.measure(message.measurement)
            self.progress.step(place.plan.label, message.measurement)
            return
        plan, record = place.plan, place.record
        if isinstance(message, Done):
            place.plan = place.record = None
            record.write_results(keep_checkpoint=False)
            record.close("FINISHED")
            self.progress.ended(plan.label, plan.steps, record.summary())
            return
        assert isinstance(message, Failed), f"a worker says nothing like {message}"
        record.shortage = message.shortage
        record.run.text("traceback.txt", message.traceback)
        if message.diverged:
            self.give_up(place, message.reason)
        if message.leaves:
            self.replace(place, message.reason)
        elif not message.diverged:
            self.try_again(place, message.reason)

    def end_silent(self, places: list[Place]) -> None:
        """Kill workers that have said nothing of their start or repeat for too long."""
        for place in places:
            silent_s = self.clock() - place.heard_s
            idle = place.ready and place.plan is None
            if not idle and not place.worker.connection.poll() and silent_s > self.settings.search.worker_timeout:
                place.worker.kill()
                self.replace(place, f"its worker said nothing for {silent_s:.0f} s and was killed")

    def replace(self, place: Place, reason: str) -> None:
        """Start another worker for one that is gone, and have its repeat tried again.

        Raises:
            RuntimeError: it was gone before it was ready, so another one would be too.
        """
        place.worker.stop()
        if not place.ready:
            raise RuntimeError(f"a worker must start, but {reason} before its first repeat; see above")
        assert place.worker.supplied is not None, "workers have their bank before they are listened to"
        supply, place.worker, place.ready = place.worker.supplied, place.worker.again(), False
        place.worker.supply(supply)
        if place.plan is not None:
            self.try_again(place, reason)

    def give_up(self, place: Place, reason: str) -> None:
        """Close a repeat that diverged, which is a result, and leave out what else its setting was to be trained for."""
        plan = self.end(place, reason, {DIVERGED_TAG: "true"})
        others = [each for each in self.waiting if each.candidate.trial == plan.candidate.trial]
        self.waiting = [each for each in self.waiting if each not in others]
        self.progress.drop(plan.steps + sum(each.steps for each in others))
        left_out = f"; its {len(others)} other confirmations are left out" if others else ""
        self.progress.line(f"{plan.label} diverged: {reason}{left_out}")

    def end(self, place: Place, reason: str, tags: Mapping[str, str]) -> Plan:
        """Close the repeat of a place as failed."""
        plan, record = place.plan, place.record
        assert plan is not None, "only a repeat can fail"
        assert record is not None, "a repeat has its record"
        place.plan = place.record = None
        record.run.tags(tags)
        close_unfinished(record, reason)
        return plan

    def try_again(self, place: Place, reason: str) -> None:
        """Close a failed repeat and queue it again.

        Raises:
            RuntimeError: it was tried often enough.
        """
        plan = self.end(place, reason, {})
        tries = self.tries[plan.identity] = self.tries.get(plan.identity, 0) + 1
        if tries > MAX_RETRIES:
            raise RuntimeError(
                f"a confirmation must come to its end, but {plan.label} failed {tries} times, last with: {reason}; mend the "
                "cause and give the same command again"
            )
        self.waiting.insert(0, plan)
        self.progress.line(f"{plan.label} failed: {reason}; it is tried again")


def close_unfinished(record: TrainingRecord, reason: str) -> None:
    """End the run of a repeat that did not come to its end; another run takes its place."""
    record.write_results(keep_checkpoint=False, failure=reason)
    record.close("FAILED", reason)
