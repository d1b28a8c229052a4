"""The one process that asks Optuna, hands out trials, writes the record and tells Optuna what came.

A worker that has ended a trial gets its next one as soon as Optuna knows the score; what the record needs besides is written
while it trains (docs/decisions/0011-busy-workers.md).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import nan
from multiprocessing.connection import wait

from optuna.trial import TrialState

from model.settings import change
from model.training.measurement import Measurement
from search.busy import busy_shares, describe
from search.checkpoints import Best, add_checkpoint, best_of
from search.opening import OpenStudy
from search.progress import TrialProgress
from search.ranking import score_cells
from search.record import open_training_record
from search.settings import Settings
from search.signals import StopRequest
from search.slot import Running, Slot
from search.space import changes, sample
from search.study import BASELINE, LEFT_OUT, MAX_RETRIES, METRICS, REASON, RETRIES, RUN_ID, fail
from search.workers.handle import WorkerHandle, ending
from search.workers.messages import Done, Failed, Progress, Ready, Task

#: Seconds between looks at a request to stop.
POLL_S = 0.5


@dataclass
class Coordinator:
    """Runs trials until the study has `target` finished ones, a stop is asked for, or too many fail in a row."""

    opened: OpenStudy
    settings: Settings
    target: int
    progress: TrialProgress
    stop: StopRequest
    slots: list[Slot] = field(default_factory=list)
    failures_in_a_row: int = 0
    clock: Callable[[], float] = time.monotonic
    # Kept here, because only this process ends trials: each question to the study reads its running trials again.
    num_finished: int = field(init=False)
    best: Best = field(init=False)

    def __post_init__(self) -> None:
        self.num_finished = self.opened.num_finished()
        self.best = best_of(self.opened.study, self.settings.tracking.keep_checkpoints)

    def run(self, workers: list[WorkerHandle]) -> None:
        """Keep the workers busy, and record how busy they were; afterwards they end, and the list holds those that are left.

        Raises:
            RuntimeError: `search.max_failures` trials failed in a row, a worker died at its start, or the lease was lost.
        """
        self.slots = [Slot(worker, self.clock(), number) for number, worker in enumerate(workers)]
        try:
            while not self.stop and (self.missing() or any(slot.running for slot in self.slots)):
                self.opened.lease.check()
                self.hand_out()
                for connection in wait([slot.worker.connection for slot in self.slots], timeout=POLL_S):
                    self.listen(next(slot for slot in self.slots if slot.worker.connection is connection))
                self.end_silent()
        finally:
            workers[:] = [slot.worker for slot in self.slots]
            for slot in self.slots:
                slot.worker.let_go()  # it ends while the study's results are written
            for slot in self.slots:
                if slot.running:
                    slot.worker.stop()
                    self.give_up(slot.running, f"interrupted by {self.stop.cause}", own_fault=False)
        self.record_busy()

    def missing(self) -> int:
        """How many trials must still be started."""
        return max(0, self.target - self.num_finished - sum(slot.running is not None for slot in self.slots))

    def hand_out(self) -> None:
        """Give every waiting worker a trial while some are missing and nobody asks to stop."""
        for slot in self.slots:
            if slot.ready and slot.running is None and not self.stop and self.missing():
                self.begin(slot)

    def begin(self, slot: Slot) -> None:
        """Ask Optuna for a trial, open its run and send it to the worker; the rest of its beginning is written after that."""
        trial = self.opened.study.ask()
        trial_changes = changes(sample(trial, self.opened.space, trial.user_attrs.get(LEFT_OUT, [])))
        baseline = trial.user_attrs.get(BASELINE, "")
        record = open_training_record(
            self.opened.prepared,
            change(self.settings, trial_changes),
            name=f"trial {trial.number:03d} {baseline}".strip(),
            role="trial",
            parent=self.opened.parent,
            tags={"study": self.opened.study.study_name, "trial_number": str(trial.number)}
            | ({"baseline": baseline} if baseline else {}),
        )
        slot.running, slot.heard_s = Running(trial, record), self.clock()
        trial.set_user_attr(RUN_ID, record.run.id)
        self.progress.begin(trial.number, slot.number)
        slot.busy.begin(time.monotonic())
        slot.worker.start(Task(trial.number, trial_changes, record.folder))
        record.write_beginning(self.opened.prepared)

    def listen(self, slot: Slot) -> None:
        """Act on one message of a worker, or on its end."""
        slot.heard_s = self.clock()
        try:
            message = slot.worker.receive()
        except EOFError:
            # A signal to the whole group of processes ends the workers too; that is the stop, not a fault of theirs.
            if not self.stop:
                self.replace(slot)
            return
        if isinstance(message, Ready):
            slot.ready, slot.deaths_at_start = True, 0
            return
        assert slot.running is not None, f"a worker without a trial says {message}"
        if isinstance(message, Progress):
            self.measure(slot.running, slot.worker, message)
            return
        running, slot.running = slot.running, None
        assert isinstance(message, Done | Failed), f"a worker says nothing like {message}"
        slot.busy.end(time.monotonic(), message.busy_s)
        if isinstance(message, Done):
            self.complete(running)
            return
        running.record.run.text("traceback.txt", message.traceback)
        running.record.shortage = message.shortage
        if message.diverged_at is not None:
            self.diverge(running, message.reason, message.diverged_at)
        else:
            self.fail(running, message.reason)
        if message.leaves:
            self.replace(slot)

    def end_silent(self) -> None:
        """Kill workers that have said nothing of their start or trial for too long: a process that hangs ends no other way."""
        for slot in self.slots:
            slot.heard_s = self.clock() if slot.worker.waits_for_place else slot.heard_s
            silent_s = slot.silent_s(self.clock())
            if silent_s > self.settings.search.worker_timeout:
                slot.worker.kill()
                self.replace(slot, f"its worker said nothing for {silent_s:.0f} s and was killed")

    def measure(self, running: Running, worker: WorkerHandle, message: Progress) -> None:
        """Tell Optuna of an evaluation and answer a worker that asks; then write the measurement."""
        measurement: Measurement = message.measurement
        if measurement.scores is not None:
            running.trial.report(measurement.scores.score, measurement.step)
            if measurement.step >= self.settings.training.steps:
                running.kept = go_on = self.best.takes(measurement.scores.score)
            else:
                go_on = not running.trial.should_prune()
            if message.asks:
                worker.answer(go_on)
            self.progress.scored(running.trial.number, measurement.scores.score)
        running.record.measure(measurement)
        self.progress.step(running.trial.number, measurement.step)

    def complete(self, running: Running) -> None:
        """End a trial that came to its last step, or that was told to stop."""
        trial, record = running.trial, running.record
        assert record.scores is not None, "a trial ends with an evaluation"
        metrics = record.scores.metrics()
        pruned = record.step < self.settings.training.steps
        trial.set_user_attr(METRICS, metrics)
        self.end(running, None if pruned else metrics["score"])
        self.failures_in_a_row = 0
        if not pruned:
            add_checkpoint(self.best, self.opened.prepared.store, metrics["score"], trial.number, record.run.id)
        score, psnr, ssim, lpips = score_cells(metrics)
        label = f"{record.name} {'pruned' if pruned else 'done'}: score {score}, {psnr} dB, SSIM {ssim}, LPIPS {lpips}"
        self.progress.ended(trial.number, label, None if pruned else metrics["score"])

    def diverge(self, running: Running, reason: str, step: int) -> None:
        """End a trial whose values were not finite as pruned there: the sampler learns from those, not from failures."""
        trial = running.trial
        trial.set_user_attr(REASON, reason)
        trial.set_user_attr(METRICS, {})
        trial.report(nan, step)
        self.end(running, None, reason)
        self.progress.ended(trial.number, f"{running.record.name} diverged: {reason}", fault=True)

    def end(self, running: Running, score: float | None, failure: str | None = None) -> None:
        """Tell Optuna, give the worker its next trial, then close the ended one; without a score it is pruned.

        Only what no later command could make again is written before Optuna's word. A run that a kill leaves open after it
        is concluded from the record by search/reconcile.py.
        """
        running.record.write_measured()
        if score is None:
            self.opened.study.tell(running.trial, state=TrialState.PRUNED)
        else:
            self.opened.study.tell(running.trial, score)
        self.num_finished += 1
        self.hand_out()
        running.record.write_conclusion(running.kept, failure)
        running.record.close("KILLED" if score is None else "FINISHED", failure)

    def fail(self, running: Running, reason: str) -> None:
        """Close a trial that could not be carried out, and stop the study when that happens again and again."""
        self.give_up(running, reason, own_fault=True)
        # Settings that fail however often they are tried are one failure: the study goes on without them.
        self.failures_in_a_row += not running.trial.user_attrs.get(RETRIES, 0)
        if self.failures_in_a_row >= self.settings.search.max_failures:
            raise RuntimeError(
                f"at most {self.settings.search.max_failures - 1} trials may fail in a row, but the last failed with: {reason}; "
                "mend the cause and give the same command again, finished trials are kept"
            )

    def give_up(self, running: Running, reason: str, *, own_fault: bool) -> None:
        """Close a trial as failed in both records and queue its parameters again."""
        running.record.write_results(keep_checkpoint=False, failure=reason)
        again = fail(self.opened.study, running.trial.number, reason, own_fault=own_fault)
        running.record.close("FAILED", reason)
        end = f"{'failed: ' * own_fault}{reason}; its settings are {'queued again' if again else 'given up'}"
        self.progress.ended(running.trial.number, f"{running.record.name} {end}", finished=False, fault=own_fault)

    def replace(self, slot: Slot, reason: str | None = None) -> None:
        """A worker has ended, by itself unless a reason is given: fail its trial and start another worker.

        Raises:
            RuntimeError: it died before it was ready, of itself or again and again, so another one would too.
        """
        code = slot.worker.stop()
        slot.deaths_at_start += not slot.ready
        # A signal comes from outside, as where the system runs out of memory; so does the loss of a node.
        if not slot.ready and ((code is not None and code >= 0) or slot.deaths_at_start > MAX_RETRIES):
            raise RuntimeError(f"a worker must start, but {reason or ending(code)} before its first trial; see above")
        assert slot.worker.supplied is not None, "workers have their bank before they are listened to"
        supply, slot.worker, slot.ready = slot.worker.supplied, slot.worker.again(), False
        slot.worker.supply(supply)
        slot.heard_s = self.clock()
        if slot.running:
            running, slot.running = slot.running, None
            slot.busy.end(time.monotonic(), 0.0)
            self.fail(running, reason or f"its worker {ending(code)}")

    def record_busy(self) -> None:
        """Write and print how much of the trials' time the workers were busy; nothing where no trial ended."""
        if shares := busy_shares([slot.busy for slot in self.slots]):
            self.opened.parent.metrics(shares, self.num_finished)
            self.progress.line(describe(shares))
