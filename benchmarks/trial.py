"""python -m benchmarks.trial: one trial from its process' start to its end, and what a second one costs there."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.evaluation import CLIPS
from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.table import Table

    from search.settings import Settings


def main(
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Train and record two trials in a process of their own and say where the time went.

    Example: python -m benchmarks.trial --profile h100 --set training.steps=200
    """
    from benchmarks.laps import check_laps
    from model.settings import change
    from model.training.device import check_precision, resolve_device
    from search.settings import load_settings

    console = make_console()
    settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
    device = resolve_device(settings.training.device)
    check_laps(settings.training)
    check_precision(settings.training.precision, device)
    with tempfile.TemporaryDirectory() as folder:
        temporary = {"tracking.root": folder, "data.cache_dir": f"{folder}/cache"}
        result = measure_trials(change(settings, temporary), speaker(console))
    machine = describe_machine(device, ("mlflow",), result.pop("peak_gpu_mib"))
    console.print(processes_table(machine, result))
    console.print(rates_table(result))
    write_result(out, machine, result)


def measure_trials(settings: "Settings", say: "Callable[[str], None]", evaluated_clips: int = CLIPS) -> dict[str, Any]:
    """Make the bank and an empty record, which trials find ready, then start the process that is timed."""
    import multiprocessing
    import time
    from concurrent.futures import ProcessPoolExecutor

    from benchmarks.trial_process import run_trials
    from model.bank import build_bank
    from model.training.device import resolve_device
    from search.settings import recipe_of
    from tracking.store import open_store

    bank = build_bank(recipe_of(settings), resolve_device(settings.training.device), say)
    open_store(settings.tracking)
    started = time.monotonic()
    with ProcessPoolExecutor(max_workers=1, mp_context=multiprocessing.get_context("spawn")) as pool:
        result = pool.submit(run_trials, settings, bank.path, started, evaluated_clips).result()
    return {"steps": settings.training.steps, "source": settings.data.source} | result


def processes_table(machine: dict[str, Any], result: dict[str, Any]) -> "Table":
    """Seconds of each part for people; a trial's parts in the order in which they begin."""
    first, second = (trial["parts"] for trial in result["trials"])
    title = f"{name_machine(machine)}; {result['steps']} steps, clips of {result['source']}"
    table = make_table(title, "part", "first trial s", "second trial s")
    for name, seconds in result["process"].items():
        table.add_row(name, f"{seconds:.2f}", "-")
    for name in first:
        # A part that is a difference may be a hair below 0; adding 0 takes the sign from -0.00.
        table.add_row(name, *(f"{round(seconds, 2) + 0.0:.2f}" for seconds in (first[name], second[name])))
    once = sum(result["process"].values())
    table.add_row("all", f"{once + sum(first.values()):.2f}", f"{sum(second.values()):.2f}")
    return table


def rates_table(result: dict[str, Any]) -> "Table":
    """Milliseconds of a step, and an evaluation alone."""
    table = make_table("", "rate", "first trial", "second trial")
    for key, name in (
        ("step_ms", "step, by the loop, ms"),
        ("wall_step_ms", "step, by the clock, ms"),
        ("data_wait_ms", "of it waiting for data, ms"),
    ):
        values = [trial[key] for trial in result["trials"]]
        table.add_row(name, *("not measured" if value is None else f"{value:.2f}" for value in values))
    table.add_row("steps a second, by the loop", *(f"{1000 / trial['step_ms']:.1f}" for trial in result["trials"]))
    alone = result["evaluation"]
    scores = f"PSNR, SSIM, LPIPS ({alone['lpips']})" if alone["lpips"] else "PSNR, SSIM, no LPIPS"
    size = f"{alone['clips']} clips, {alone['frames']} frames, {alone['side_px']} px"
    table.add_row(f"evaluation alone, {size}, {scores}, s", f"{alone['seconds']:.2f}", "")
    return table


if __name__ == "__main__":
    run(main)
