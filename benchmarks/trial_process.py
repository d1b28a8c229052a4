"""What a process does that trains trials and records them, part by part."""

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.clock import Clock
from benchmarks.evaluation import CLIPS, measure_evaluation
from benchmarks.inputs import find_perceptual
from benchmarks.laps import Lap, share_out, wall_step_ms
from search.settings import Settings, recipe_of

if TYPE_CHECKING:
    from model.training.capture import Captures
    from search.preparation import Preparation

# The parts that a process pays for once, and those of each trial beside model.training.loop's own (benchmarks.laps).
PROCESS, BANK, LPIPS = "start the process, import, wake the device", "load the bank", "load LPIPS"
RECORD, YARDSTICKS = "open the record", "score the yardsticks"
START_RUN, LOGGING, RESULTS = "start the run", "log measurements", "write results, close the run"

#: What the second trial has other than the first: numbers alone, as the trials of a study have.
SECOND = {"optimizer.learning_rate": 2e-4, "losses.encoder": 0.5}


def run_trials(settings: Settings, bank_path: Path, started: float, evaluated_clips: int = CLIPS) -> dict[str, Any]:
    """Be the process of two trials.

    Args:
        settings: of both.
        bank_path: the bank's file.
        started: time.monotonic() of the process that started this one; the clock is the machine's.
        evaluated_clips: of the evaluation alone.

    Returns:
        "process": seconds of what is paid once; "trials": of each, as `run_trial` says; "evaluation": an evaluation
        alone; "peak_gpu_mib" (None on a CPU).
    """
    import torch

    from model.bank import load_bank
    from model.evaluation.yardsticks import measure_yardsticks
    from model.settings import change
    from model.training.capture import Captures
    from model.training.device import resolve_device
    from model.training.loop import check_recipe

    device = resolve_device(settings.training.device)
    torch.zeros(1, device=device)
    clock = Clock(device)
    clock.seconds[PROCESS] = time.monotonic() - started
    with clock.part(BANK):
        bank = load_bank(bank_path)
    with clock.part(LPIPS):
        perceptual, _ = find_perceptual(settings, device, print)
    with clock.part(RECORD):
        from search.preparation import Preparation
        from tracking.store import open_store

        store = open_store(settings.tracking)
    with clock.part(YARDSTICKS):
        yardsticks = measure_yardsticks(bank, settings.evaluation, perceptual, device)
    prepared = Preparation(store, bank, device, perceptual, yardsticks)
    settings = settings if perceptual else change(settings, {"losses.perceptual": 0.0})
    check_recipe(recipe_of(settings), perceptual, device)
    captures = Captures()
    trials = [run_trial(prepared, changed, captures) for changed in (settings, change(settings, SECOND))]
    return {
        "process": clock.seconds,
        "trials": trials,
        "evaluation": measure_evaluation(recipe_of(settings), perceptual, device, evaluated_clips),
        "peak_gpu_mib": torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None,
    }


def run_trial(prepared: "Preparation", settings: Settings, captures: "Captures") -> dict[str, Any]:
    """Train and record one trial.

    Returns:
        "parts": seconds by name, in sum the whole trial; "step_ms": median of the loop's own time of a step and
        "wall_step_ms" by the clock; "data_wait_ms": mean over measurements, None where the loop does not measure it.
    """
    import statistics

    from model.training.loop import train
    from search.record import start_training_record
    from search.workers.assignments import trial_recipe

    clock, laps, waits = Clock(prepared.device), list[Lap](), list[float]()
    with clock.part(START_RUN):
        record = start_training_record(prepared, settings, name="trial", role="trial", parent=None, tags={})
    asked = time.perf_counter()
    steps = train(
        trial_recipe(settings, prepared.device),
        prepared.bank,
        perceptual=prepared.perceptual,
        device=prepared.device,
        folder=record.folder,
        captures=captures,
    )
    with contextlib.closing(steps):
        for measurement in steps:
            values, evaluated = measurement.values, measurement.scores is not None
            laps.append(Lap(measurement.step, time.perf_counter() - asked, values["time/step_ms"], evaluated))
            waits += [values["time/data_wait_ms"]] if "time/data_wait_ms" in values else []
            with clock.part(LOGGING):
                record.measure(measurement)
            asked = time.perf_counter()
    training = share_out(laps, time.perf_counter() - asked, settings.training)
    with clock.part(RESULTS):
        record.write_results(keep_checkpoint=True)
        record.close("FINISHED")
    return {
        "parts": {START_RUN: clock.seconds.pop(START_RUN)} | training | clock.seconds,
        "step_ms": statistics.median(lap.step_ms for lap in laps[1:]),
        "wall_step_ms": wall_step_ms(laps),
        "data_wait_ms": statistics.mean(waits) if waits else None,
    }
