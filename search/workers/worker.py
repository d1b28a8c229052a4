"""What runs inside a worker process: one device, many trials."""

import contextlib
import os
import signal
import time
import traceback
from dataclasses import asdict, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING

from search.workers.messages import Assignment, Done, Failed, Progress, Ready, Supply, Task

if TYPE_CHECKING:
    import torch

    from model.bank import Bank
    from model.evaluation.perceptual import Perceptual
    from model.recipe import Recipe
    from model.training.capture import Captures
    from model.training.measurement import Measurement

#: What a pipe says when the coordinator is gone, and with it the work.
GONE = (EOFError, BrokenPipeError, ConnectionResetError)


def work(connection: Connection, assignment: Assignment) -> None:
    """Serve tasks until the coordinator closes the connection or dies.

    torch is imported here and not above: the device must be chosen first.
    """
    # Ctrl-C reaches the whole group of processes; the coordinator decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if assignment.cuda_device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = assignment.cuda_device
    with contextlib.suppress(*GONE):
        serve(connection, assignment)


def serve(connection: Connection, assignment: Assignment) -> None:
    """Compile and capture the training step once, with the bank that comes meanwhile, then train trial after trial."""
    import torch

    from model.bank import load_bank
    from model.evaluation.perceptual import load_perceptual
    from model.training.capture import Captures
    from model.training.device import resolve_device
    from model.training.stepping import is_captured

    torch.set_num_threads(assignment.num_threads)
    device = resolve_device(assignment.recipe.training.device)
    captures, captured = Captures(), is_captured(assignment.recipe, device)
    # Without the memory to begin with, the first trial fails of the same, which its record then says.
    told_by_a_trial = contextlib.suppress(torch.OutOfMemoryError)
    if captured:
        with told_by_a_trial:
            compile_ahead(captures, assignment.recipe, device)
    supply: Supply = connection.recv()
    bank = load_bank(supply.bank)
    perceptual = load_perceptual(assignment.recipe.evaluation.lpips, device) if supply.perceptual else None
    if captured:
        with told_by_a_trial:
            captures.find(with_all_losses(assignment.recipe, supply.perceptual), bank, perceptual, device)
    connection.send(Ready())
    while True:
        task: Task = connection.recv()
        end = attempt(connection, assignment, task, bank, perceptual, device, captures)
        connection.send(end)
        if isinstance(end, Failed) and end.leaves:
            return


def compile_ahead(captures: "Captures", recipe: "Recipe", device: "torch.device") -> None:
    """Compile the step before there is a bank: it takes longer than decoding and the preflight."""
    from model.evaluation.perceptual import PerceptualUnavailable, load_perceptual

    try:
        captures.prepare(
            with_all_losses(recipe, True), lambda: load_perceptual(recipe.evaluation.lpips, device), device
        )
    except PerceptualUnavailable:  # the coordinator finds out by itself and says so
        captures.prepare(with_all_losses(recipe, False), lambda: None, device)


def with_all_losses(recipe: "Recipe", perceptual: bool) -> "Recipe":
    """Whatever conf.toml says, trials give every loss a weight, the perceptual one where there is LPIPS."""
    from model.settings import change
    from model.training.settings import LOSSES

    return change(recipe, {f"losses.{name}": float(name != "perceptual" or perceptual) for name in LOSSES})


def attempt(
    connection: Connection,
    assignment: Assignment,
    task: Task,
    bank: "Bank",
    perceptual: "Perceptual | None",
    device: "torch.device",
    captures: "Captures",
) -> Done | Failed:
    """Train one trial; an error of the trial is an answer, an error of the connection is not."""
    from model.settings import change
    from model.training.loop import train
    from model.training.memory import is_out_of_memory
    from model.training.step import NonFiniteError

    started_s, waited_s = time.perf_counter(), 0.0
    try:
        recipe = change(assignment.recipe, task.changes)
        measurements = train(recipe, bank, perceptual=perceptual, device=device, folder=task.folder, captures=captures)
        with contextlib.closing(measurements):
            for measurement in measurements:
                last = measurement.step >= recipe.training.steps
                asks = measurement.scores is not None and (assignment.pruning or last)
                told_s = time.perf_counter()
                go_on = tell(connection, measurement, asks=asks)
                waited_s += time.perf_counter() - told_s
                if not go_on:
                    break
    except GONE:
        raise
    except Exception as error:
        busy_s = time.perf_counter() - started_s - waited_s
        diverged_at = error.step if isinstance(error, NonFiniteError) else None
        failed = Failed(f"{type(error).__name__}: {error}", traceback.format_exc(), diverged_at, busy_s)
        if not answers(device):
            return replace(failed, leaves=True)
        if not is_out_of_memory(error):
            return failed
        captures.clear()
        traceback.clear_frames(error.__traceback__)  # they hold what the training had allocated
        return short_of_memory(failed, assignment.recipe, bank, perceptual, device)
    return Done(time.perf_counter() - started_s - waited_s)


def answers(device: "torch.device") -> bool:
    """Whether a device still works: an error inside a kernel leaves its CUDA context broken for the rest of the process."""
    import torch

    if device.type != "cuda":
        return True
    try:
        torch.cuda.synchronize(device)
    except RuntimeError:  # the trial's own error is told, and this one is its echo
        return False
    return True


def short_of_memory(
    failed: Failed, recipe: "Recipe", bank: "Bank", perceptual: "Perceptual | None", device: "torch.device"
) -> Failed:
    """A failure of too little memory, with the batch size that would fit."""
    from model.training.memory import measure_shortage

    tried = with_all_losses(recipe, perceptual is not None)
    shortage = measure_shortage(tried, bank, perceptual, device)
    return replace(failed, reason=shortage.explain(failed.reason), leaves=True, shortage=asdict(shortage))


def tell(connection: Connection, measurement: "Measurement", *, asks: bool) -> bool:
    """Send a measurement and return whether to go on, which is asked only where the answer may be no."""
    connection.send(Progress(measurement, asks))
    return not asks or connection.recv()
