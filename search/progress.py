"""What a person sees of long work: a table or a bar on a terminal, plain lines elsewhere."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from model.training.measurement import Measurement
from search.duration import show_duration
from search.live import StudyTable


class Lines:
    """Things done out of a total, as lines; the remaining time comes from what this command itself has done."""

    def __init__(self, console: Console, already: int, total: int) -> None:
        self.console = console
        self.already, self.total = already, total
        self.started = time.monotonic()

    def line(self, text: str) -> None:
        """Print a line that stays, above the bar or table where there is one."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def remaining(self, done: float) -> str:
        """Say how long it will still take, or how long it took."""
        elapsed = time.monotonic() - self.started
        if done >= self.total:
            return f"took {show_duration(elapsed)}"
        if done <= self.already:
            return "remaining time not known yet"
        return f"{show_duration(elapsed / (done - self.already) * (self.total - done))} remaining"


class Bar(Lines):
    """A bar of things done out of a total."""

    def __init__(self, console: Console, things: str, already: int, total: int) -> None:
        super().__init__(console, already, total)
        self.bar = Progress(
            TextColumn(things),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[state]}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self.task = self.bar.add_task(things, total=total, completed=already, state="starting")

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bar.stop()

    def show(self, done: float, state: str) -> None:
        """Move the bar."""
        self.bar.update(self.task, completed=min(done, self.total), state=f"{state}, {self.remaining(done)}")


class TrialProgress(Lines):
    """Trials finished and to come: one live table on a terminal, a line for each end elsewhere."""

    def __init__(
        self,
        console: Console,
        already: int,
        total: int,
        steps: int,
        best: tuple[float, int] | None = None,
        faults: int = 0,
    ) -> None:
        super().__init__(console, already, total)
        self.table = StudyTable(total, steps, already, faults, best)
        self.live = Live(console=console, get_renderable=self.render, transient=True, refresh_per_second=2)

    def __enter__(self) -> Self:
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.stop()

    def begin(self, number: int, slot: int) -> None:
        """Note that a trial begins, and in which worker's slot."""
        self.table.begin(number, slot)

    def step(self, number: int, step: int) -> None:
        """Note how far a running trial is."""
        self.table.step(number, step)

    def scored(self, number: int, score: float) -> None:
        """Note the score of a running trial."""
        self.table.scored(number, score)

    def ended(
        self, number: int, label: str, score: float | None = None, *, finished: bool = True, fault: bool = False
    ) -> None:
        """Note the end of a trial.

        Args:
            number: of the trial.
            label: what is said of it.
            score: of one that came to its last step; that of a pruned one is of an earlier step, so it has none.
            finished: whether it counts towards --trials.
            fault: whether it failed or diverged.
        """
        self.table.finished += finished
        self.table.ended(number, score, fault=fault)
        self.line(f"[{self.table.finished}/{self.total}] {label}; {self.remaining(self.done)}")

    def render(self) -> RenderableType:
        """What a terminal shows below the lines."""
        ending = self.done >= self.total and bool(self.table.running)
        return self.table.render("ending" if ending else self.remaining(self.done))

    @property
    def done(self) -> float:
        """Finished trials and the finished parts of the running ones."""
        return self.table.finished + sum(trial.step for trial in self.table.running.values()) / self.table.steps


class StepProgress(Bar):
    """Steps of one training; a line for every evaluation."""

    def __init__(self, console: Console, steps: int, already: int = 0) -> None:
        super().__init__(console, "steps", already, steps)

    def step(self, measurement: Measurement) -> None:
        """Note a measurement."""
        values, step = measurement.values, measurement.step
        self.show(step, f"loss {values['loss/total']:.4g}")
        if measurement.scores is not None:
            scores = ", ".join(f"{name} {value:.4g}" for name, value in measurement.scores.metrics().items())
            self.line(f"[{step}/{self.total}] {scores}; {self.remaining(step)}")


class RepeatProgress(Bar):
    """Confirmations by their steps: long and short ones take different times."""

    def __init__(self, console: Console, steps: int) -> None:
        super().__init__(console, "steps", 0, steps)
        self.finished_steps = 0
        self.running: dict[str, int] = {}

    def step(self, label: str, measurement: Measurement) -> None:
        """Note how far a running one is."""
        self.running[label] = measurement.step
        self.show(self.done, f"{len(self.running)} running")

    def ended(self, label: str, steps: int, summary: str) -> None:
        """Note the end of one."""
        self.running.pop(label, None)
        self.finished_steps += steps
        self.line(f"[{self.finished_steps}/{self.total} steps] {label}: {summary}; {self.remaining(self.done)}")

    def drop(self, steps: int) -> None:
        """Note that so many steps will not be taken."""
        self.total -= steps
        self.bar.update(self.task, total=self.total)

    @property
    def done(self) -> float:
        """Steps that are taken."""
        return self.finished_steps + sum(self.running.values())
