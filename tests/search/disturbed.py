"""Studies of real workers that a test disturbs at a step of its choice, and what they left in both records."""

import io
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console

from search.coordinator import Coordinator
from search.opening import OpenStudy
from search.preparation import running_folder
from search.progress import TrialProgress
from search.reconcile import STATUS
from search.settings import Settings, recipe_of
from search.signals import StopRequest
from search.study import BASELINE, RUN_ID
from search.workers.handle import WorkerHandle
from search.workers.local import LocalWorker, started_workers
from search.workers.messages import Assignment, Supply
from tracking.store import artifact_folder

#: Is given the coordinator, a trial's number and its step; step 0 comes before the worker hears of the trial.
Hook = Callable[[Coordinator, int, int], None]


class HookedProgress(TrialProgress):
    """The display, which also calls a hook at every step of every trial."""

    hook: Callable[[int, int], None]
    slots: dict[int, int]
    ends: dict[int, float | None]

    def begin(self, number: int, slot: int) -> None:
        super().begin(number, slot)
        self.slots[number] = slot
        self.hook(number, 0)

    def step(self, number: int, step: int) -> None:
        super().step(number, step)
        self.hook(number, step)

    def ended(
        self, number: int, label: str, score: float | None = None, *, finished: bool = True, fault: bool = False
    ) -> None:
        super().ended(number, label, score, finished=finished, fault=fault)
        self.ends[number] = score


@dataclass
class Study:
    """A study that can be run with hooks, and what it left."""

    opened: OpenStudy
    settings: Settings
    out: io.StringIO = field(default_factory=io.StringIO)
    most_at_once: int = 0
    shown_slots: dict[int, int] = field(default_factory=dict)  # of every trial, as the display was told
    shown_ends: dict[int, float | None] = field(default_factory=dict)

    def run(self, target: int, hook: Hook, workers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        assignment = Assignment(recipe_of(self.settings), None, 1, pruning=self.settings.search.pruner != "none")
        self.run_with(started_workers([assignment] * workers), target, hook, clock)

    def run_with(
        self,
        starting: AbstractContextManager[list[WorkerHandle]],
        target: int,
        hook: Hook,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        progress = HookedProgress(Console(file=self.out, width=200), 0, target, self.settings.training.steps)
        coordinator = Coordinator(self.opened, self.settings, target, progress, StopRequest(), clock=clock)

        def call(number: int, step: int) -> None:
            self.most_at_once = max(self.most_at_once, sum(slot.running is not None for slot in coordinator.slots))
            hook(coordinator, number, step)

        progress.hook, progress.slots, progress.ends = call, self.shown_slots, self.shown_ends
        with starting as started:
            for worker in started:
                worker.supply(Supply(self.opened.prepared.bank.path, perceptual=False))
            coordinator.run(started)

    @property
    def trials(self) -> list[FrozenTrial]:
        return self.opened.study.get_trials()

    def baseline(self, name: str) -> list[FrozenTrial]:
        """The trials of a baseline that were begun, retries included."""
        return [t for t in self.trials if t.user_attrs.get(BASELINE) == name and t.state != TrialState.WAITING]

    def mlflow_run(self, trial: FrozenTrial) -> MlflowRun:
        return MlflowClient(tracking_uri=self.opened.prepared.store.uri).get_run(trial.user_attrs[RUN_ID])

    def artifact(self, trial: FrozenTrial, path: str) -> Path:
        return artifact_folder(self.opened.prepared.store, trial.user_attrs[RUN_ID]) / path

    def assert_records_agree(self) -> None:
        """Every trial that was begun has ended, its run as its state says, and no files are left lying about."""
        begun = [trial for trial in self.trials if trial.state != TrialState.WAITING]
        assert {trial.state for trial in begun} <= set(STATUS)
        assert [self.mlflow_run(trial).info.status for trial in begun] == [STATUS[trial.state] for trial in begun]
        assert list(running_folder(self.opened.prepared.store).iterdir()) == []


def pid_of(coordinator: Coordinator, number: int) -> int:
    """The process that trains a trial."""
    (slot,) = [one for one in coordinator.slots if one.running is not None and one.running.trial.number == number]
    assert isinstance(slot.worker, LocalWorker)
    assert slot.worker.process.pid is not None
    return slot.worker.process.pid


def undisturbed(_coordinator: Coordinator, _number: int, _step: int) -> None:
    pass


MakeStudy = Callable[..., Study]
