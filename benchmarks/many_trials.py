"""python -m benchmarks.many_trials: what a study costs its coordinator, trial by trial, with workers that train nothing."""

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import Pipe
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run

if TYPE_CHECKING:
    from rich.table import Table

    from model.evaluation.scores import Scores
    from search.opening import OpenStudy
    from search.settings import Settings
    from search.workers.messages import Task

#: Medians are taken over so many parts of the study.
PARTS = 4


def main(
    trials: Annotated[int, typer.Option("--trials", min=PARTS, help="Trials of the study.")] = 1000,
    workers: Annotated[int, typer.Option("--workers", min=1, help="Workers that train nothing.")] = 8,
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Run a study of trials that end at once, and say how its costs grow.

    Example: python -m benchmarks.many_trials --trials 1000 --profile cpu
    """
    import torch

    from search.settings import load_settings

    console = make_console()
    with tempfile.TemporaryDirectory() as folder:
        changes = [*(set_ or ()), f"tracking.root={folder}/mlruns", f"data.cache_dir={folder}/cache"]
        settings = load_settings(config, resolve_profile(profile, lambda _line: None), changes)
        result = measure_growth(settings, trials, workers)
    machine = describe_machine(torch.device("cpu"), ("mlflow", "optuna"))
    console.print(to_table(machine, result))
    write_result(out, machine, result)


class IdleWorker:
    """What the coordinator takes for a worker (search.workers.handle.WorkerHandle): every trial is measured once and done."""

    waits_for_place = False

    def __init__(self, scores: "Scores", steps: int) -> None:
        from search.workers.messages import Ready

        self.connection, self._theirs = Pipe()
        self._scores, self._steps = scores, steps
        self._theirs.send(Ready())

    def start(self, task: "Task") -> None:
        """Answer a task: its last measurement, with a score that differs from trial to trial, and its end."""
        from model.training.measurement import Measurement
        from search.workers.messages import Done, Progress

        scores = replace(self._scores, psnr=self._scores.psnr + task.number % 97 / 97)
        values = {"loss/total": 0.5, **scores.metrics()}
        (task.folder / "checkpoint").mkdir()
        (task.folder / "checkpoint" / "model.safetensors").write_bytes(b"")
        self._theirs.send(Progress(Measurement(self._steps, values, scores), asks=True))
        self._theirs.send(Done(0.0))

    def answer(self, go_on: bool) -> None:
        """Hear whether the checkpoint is wanted."""

    def receive(self) -> Any:
        """Return the next message."""
        return self.connection.recv()

    def let_go(self) -> None:
        """End; there is no process."""
        self.connection.close()

    def stop(self) -> int:
        """End, with nothing to wait for."""
        self.let_go()
        return 0


@dataclass
class Clocks:
    """What a part of the study took: of each trial its ask and its report; all CPU time of the coordinator and its own."""

    ask_ms: list[float] = field(default_factory=list)
    report_ms: list[float] = field(default_factory=list)
    coordinator_cpu_ms: float = 0.0
    own_cpu_ms: float = 0.0


def measure_growth(settings: "Settings", trials: int, workers: int) -> dict[str, Any]:
    """Run the study in parts and open it again after each.

    Returns:
        "workers"; "parts": of each its "trials" (how many the study has then), medians "ask_ms", "report_ms" (Optuna's tell)
        and the means "coordinator_cpu_ms" and "own_cpu_ms" (without Optuna and MLflow) of a trial, "resume_ms" of opening the
        study again, and what its page takes then, "page_s" in seconds and "page_mb" in MB.
    """
    from search.opening import open_everything

    Path(settings.tracking.root).mkdir(parents=True, exist_ok=True)
    parts: list[dict[str, Any]] = []
    for part in range(1, PARTS + 1):
        started_s = time.perf_counter()
        opened = open_everything(settings, lambda _line: None, trials * part // PARTS)
        resume_ms = 1000 * (time.perf_counter() - started_s)
        if parts:
            parts[-1]["resume_ms"] = resume_ms
        clocks = run_part(opened, settings, trials * part // PARTS, workers)
        parts.append(
            {
                "trials": opened.num_finished(),
                "ask_ms": median(clocks.ask_ms),
                "report_ms": median(clocks.report_ms),
                "coordinator_cpu_ms": clocks.coordinator_cpu_ms / len(clocks.ask_ms),
                "own_cpu_ms": clocks.own_cpu_ms / len(clocks.ask_ms),
            }
        )
        parts[-1] |= measure_page(opened, settings)
        opened.lease.close()
    started_s = time.perf_counter()
    open_everything(settings, lambda _line: None, trials).lease.close()
    parts[-1]["resume_ms"] = 1000 * (time.perf_counter() - started_s)
    return {"workers": workers, "parts": parts}


def run_part(opened: "OpenStudy", settings: "Settings", target: int, workers: int) -> Clocks:
    """Bring the study to `target` finished trials."""
    from rich.console import Console

    from benchmarks.own_time import own_time
    from search.coordinator import Coordinator
    from search.progress import TrialProgress
    from search.signals import StopRequest

    clocks, study = Clocks(), opened.study
    study.ask = timed(study.ask, clocks.ask_ms)  # type: ignore[method-assign] # the library offers no clock of its own
    study.tell = timed(study.tell, clocks.report_ms)  # type: ignore[method-assign] # likewise
    scores = opened.prepared.yardsticks["mean_colour"]
    idle: Sequence[Any] = [IdleWorker(scores, settings.training.steps) for _ in range(workers)]
    with TrialProgress(Console(quiet=True), opened.num_finished(), target, settings.training.steps) as progress:
        coordinator = Coordinator(opened, settings, target, progress, StopRequest())
        before_s = time.process_time()
        with own_time() as taken:
            coordinator.run(list(idle))
        clocks.coordinator_cpu_ms = 1000 * (time.process_time() - before_s)
        clocks.own_cpu_ms = 1000 * taken.own_s
    return clocks


def measure_page(opened: "OpenStudy", settings: "Settings") -> dict[str, float]:
    """Gather and draw the study's page: what that takes and how large it is."""
    from search.page.gathering import gather
    from search.page.page import to_html
    from search.ranking import rank
    from search.study_evidence import study_evidence
    from tracking.diagnosis import diagnose

    started_s = time.perf_counter()
    rows = rank(opened.study)
    text = to_html(gather(opened, settings, rows, diagnose(study_evidence(opened, settings, rows))))
    return {"page_s": time.perf_counter() - started_s, "page_mb": len(text.encode()) / 1e6}


def timed(function: Any, into_ms: list[float]) -> Any:
    """The function, which also notes how long it took."""

    def call(*arguments: Any, **named: Any) -> Any:
        started_s = time.perf_counter()
        try:
            return function(*arguments, **named)
        finally:
            into_ms.append(1000 * (time.perf_counter() - started_s))

    return call


def to_table(machine: dict[str, Any], result: dict[str, Any]) -> "Table":
    """The numbers for people."""
    title = f"{name_machine(machine)}; {result['workers']} workers that train nothing"
    table = make_table(
        title,
        *(
            "trials so far",
            "ask, ms",
            "report, ms",
            "coordinator, CPU ms a trial",
            "own",
            "open again, ms",
            "page, s; MB",
        ),
    )
    for part in result["parts"]:
        costs = (part[key] for key in ("ask_ms", "report_ms", "coordinator_cpu_ms", "own_cpu_ms", "resume_ms"))
        page = f"{part['page_s']:.1f}; {part['page_mb']:.1f}"
        table.add_row(str(part["trials"]), *(f"{cost:.1f}" for cost in costs), page)
    return table


if __name__ == "__main__":
    run(main)
