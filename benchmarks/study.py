"""python -m benchmarks.study: a whole study end to end, as its command runs it."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.gpu_use import read_samples, sampling, summarise
from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from rich.table import Table

    from search.settings import Settings
    from tracking.query import RunRow

#: Rows that only a GPU has, as the table names them.
GPU_ROWS = {
    "busy_share": ("GPU: samples with a utilisation above 0", "{:.1%}"),
    "mean_utilisation": ("GPU: mean utilisation", "{:.1f} %"),
    "peak_mib": ("GPU: most memory in use", "{:.0f} MiB"),
    "covered_share": ("GPU: share of the trials' time that was sampled", "{:.1%}"),
}


def main(
    trials: Annotated[int, typer.Option("--trials", min=1, help="Trials of the study.")] = 50,
    keep: Annotated[
        Path | None, typer.Option("--keep", help="New folder that keeps the record; without it the record is deleted.")
    ] = None,
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Run a study in a new record with empty caches, and say how long each phase took and how busy the GPU was.

    Example: python -m benchmarks.study --trials 50 --profile h100 --set data.source=/path/to/videos
    """
    from model.training.device import resolve_device
    from search.settings import load_settings

    console = make_console()
    name = resolve_profile(profile, lambda _line: None)  # the study says it
    with record_folder(keep) as folder:
        changes = [*(set_ or ()), f"tracking.root={folder}/mlruns", f"data.cache_dir={folder}/cache"]
        settings = load_settings(config, name, changes)
        command = ["--config", str(config), "--profile", name, *(part for text in changes for part in ("--set", text))]
        result = measure_study(settings, trials, command, folder)
    if keep is None:
        speaker(console)("the study above was recorded in a temporary folder; its paths lead nowhere now")
    gpu = result["gpu"]
    device = resolve_device(settings.training.device)
    machine = describe_machine(device, ("mlflow", "optuna"), gpu["peak_mib"] if gpu else None)
    console.print(to_table(machine, result))
    write_result(out, machine, result)


@contextmanager
def record_folder(keep: Path | None) -> Iterator[Path]:
    """A new folder for the record and the caches, temporary where none is named.

    Raises:
        ValueError: the named one is there already.
    """
    if keep is None:
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder)
        return
    if keep.exists():
        raise ValueError(f"--keep needs a new folder, because caches must be empty, but {keep} exists; name another")
    keep.mkdir(parents=True)
    yield keep.absolute()


def measure_study(settings: "Settings", trials: int, options: Sequence[str], folder: Path) -> dict[str, Any]:
    """Run the command with these options and read from its record where the time went.

    Raises:
        RuntimeError: the study did not end well.
    """
    from model.training.device import resolve_device
    from search.workers.assignments import cuda_devices

    # torch and Triton keep compiled kernels of earlier commands elsewhere; a fresh machine has none.
    caches = {name: str(folder / name) for name in ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR")}
    devices = cuda_devices(resolve_device(settings.training.device))[: settings.search.workers or None]
    gpus, log = [name for name in devices if name is not None], folder / "gpu.csv"
    started = time.time()
    with sampling(gpus, log):
        command = [sys.executable, "-m", "search.run", "--trials", str(trials), *options]
        code = subprocess.run(command, env=os.environ | caches, check=False).returncode
    ended = time.time()
    if code:
        raise RuntimeError(f"the study must end with exit code 0, but ended with {code}; see above")
    result = read_record(settings, started, ended)
    window = result.pop("trials_window_s")
    return result | {"gpu": summarise(read_samples(log.read_text()), *window) if gpus else None}


def read_record(settings: "Settings", started: float, ended: float) -> dict[str, Any]:
    """Read a study that was run from `started` to `ended` (seconds since 1970); returns what `split_time` does."""
    from tracking.query import children, find_runs, read_json
    from tracking.store import open_store

    store = open_store(settings.tracking)
    (study,) = find_runs(store, role="study")
    trials = [row for row in children(store, study.id) if row.role == "trial"]
    bank_made = max(file.stat().st_mtime for file in Path(settings.data.cache_dir).rglob("*.safetensors"))
    preflight_s = read_json(store, study.id, "preflight.json")["seconds"]
    return {"source": settings.data.source} | split_time(study, trials, bank_made, preflight_s, started, ended)


def split_time(
    study: "RunRow", trials: "Sequence[RunRow]", bank_made: float, preflight_s: float, started: float, ended: float
) -> dict[str, Any]:
    """Split the time of a study's command, `started` to `ended`; these and `bank_made` are seconds since 1970.

    Returns:
        "wall_s"; "phases" in seconds, in sum the wall clock; "trials_window_s", start of the first trial and end of the
        last; "trials", how many by MLflow's status; "trials_per_minute" of the whole
        command and of the trials' time alone, without failed ones; "best_score" of the finished ones.
    """
    first, last = min(row.start_ms for row in trials) / 1000, max(end_s(row) for row in trials)
    study_made, statuses = study.start_ms / 1000, [row.status for row in trials]
    counted = sum(status != "FAILED" for status in statuses)
    return {
        "wall_s": ended - started,
        "phases": {
            "start, decode, make the bank": bank_made - started,
            "yardsticks, study opened": study_made - bank_made,
            "preflight": preflight_s,
            "workers started": first - study_made - preflight_s,
            "trials": last - first,
            "report": ended - last,
        },
        "trials_window_s": (first, last),
        "trials": {status: statuses.count(status) for status in sorted(set(statuses))},
        "trials_per_minute": {"command": 60 * counted / (ended - started), "trials": 60 * counted / (last - first)},
        "best_score": max((row.metrics["score"] for row in trials if row.status == "FINISHED"), default=None),
    }


def end_s(row: "RunRow") -> float:
    """When a run ended, in seconds since 1970."""
    assert row.end_ms is not None, f"{row.name} has no end"
    return row.end_ms / 1000


def to_table(machine: dict[str, Any], result: dict[str, Any]) -> "Table":
    """The numbers for people."""
    counts = ", ".join(f"{count} {status.lower()}" for status, count in result["trials"].items())
    title = f"{name_machine(machine)}; {counts}, clips of {result['source']}"
    table = make_table(title, "phase", "seconds", "share")
    for name, seconds in result["phases"].items():
        table.add_row(name, f"{seconds:.1f}", f"{seconds / result['wall_s']:.1%}")
    table.add_row("all", f"{result['wall_s']:.1f}", "", end_section=True)
    rates = result["trials_per_minute"]
    table.add_row("trials a minute, whole command", f"{rates['command']:.1f}", "")
    table.add_row("trials a minute, while trials ran", f"{rates['trials']:.1f}", "")
    best = result["best_score"]
    table.add_row("best score", "none" if best is None else f"{best:.2f}", "")
    for key, (name, form) in GPU_ROWS.items():
        table.add_row(name, form.format(result["gpu"][key]) if result["gpu"] else "not measured", "")
    return table


if __name__ == "__main__":
    run(main)
