"""The table that a terminal shows while a study runs: a line for what is done and to come, a row for each running trial."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from search.duration import show_duration


@dataclass
class RunningTrial:
    """A trial in its slot; `since` is the time and the step at which its steps began to come."""

    slot: int
    step: int = 0
    score: float | None = None
    since: tuple[float, int] | None = None


@dataclass
class StudyTable:
    """What is known of a running study, as rows."""

    total: int
    steps: int
    finished: int
    faults: int = 0
    best: tuple[float, int] | None = None  # score and trial
    running: dict[int, RunningTrial] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic

    def begin(self, number: int, slot: int) -> None:
        """Note a new trial and its worker's slot."""
        self.running[number] = RunningTrial(slot)

    def step(self, number: int, step: int) -> None:
        """Note how far a running trial is."""
        trial = self.running[number]
        trial.step = step
        if trial.since is None and step:
            trial.since = (self.clock(), step)  # before its first measurement a worker may compile

    def scored(self, number: int, score: float) -> None:
        """Note the score of a running trial."""
        self.running[number].score = score

    def ended(self, number: int, score: float | None, *, fault: bool) -> None:
        """Note the end of a trial, with a score if it can be the best; a fault is one that failed or diverged."""
        self.running.pop(number, None)
        self.faults += fault
        if score is not None and (self.best is None or score > self.best[0]):
            self.best = (score, number)

    def rate(self, trial: RunningTrial) -> float | None:
        """Steps per second of a trial; None before there are two measurements."""
        if trial.since is None or trial.step <= trial.since[1]:
            return None
        return (trial.step - trial.since[1]) / max(self.clock() - trial.since[0], 1e-9)

    def render(self, remaining: str) -> RenderableType:
        """Draw the table below its line."""
        to_come = max(0, self.total - self.finished - len(self.running))
        best = "no score yet" if self.best is None else f"best {self.best[0]:.2f} (trial {self.best[1]})"
        faults = f"{self.faults} failed or diverged" if self.faults else "no faults"
        line = f"{self.finished} of {self.total} trials, {len(self.running)} running, {to_come} to come · {best} · {faults} · "
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for heading in ("slot", "trial", "step", "score", "steps/s", "remaining"):
            table.add_column(heading, justify="right", no_wrap=True)
        for number, trial in sorted(self.running.items(), key=lambda item: item[1].slot):
            rate = self.rate(trial)
            table.add_row(
                str(trial.slot),
                str(number),
                f"{trial.step}/{self.steps}",
                "" if trial.score is None else f"{trial.score:.2f}",
                "" if rate is None else f"{rate:.1f}",
                "" if rate is None else show_duration((self.steps - trial.step) / rate),
            )
        return Group(Text(line + remaining), table) if self.running else Text(line + remaining)
