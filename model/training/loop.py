"""The training loop: a generator that whoever drives it reads, logs, prunes or closes."""

import contextlib
import time
from collections.abc import Collection, Generator
from pathlib import Path

import torch

from model.bank import Bank
from model.evaluation.perceptual import Perceptual
from model.ranks import ALONE, Ranks
from model.recipe import Recipe
from model.training.capture import Captures
from model.training.checkpoint import has_checkpoint, resume, save
from model.training.device import check_precision
from model.training.division import check_division
from model.training.measurement import Measurement, name_values
from model.training.renewal import Renewal
from model.training.state import Tally, TrainState, start_state
from model.training.stepping import Stepping, is_captured, start_stepping
from model.training.validation import add_scores, save_film


def train(
    recipe: Recipe,
    bank: Bank,
    *,
    perceptual: Perceptual | None,
    device: torch.device,
    folder: Path | None = None,
    captures: Captures | None = None,
    ranks: Ranks = ALONE,
    evaluate_at: Collection[int] = (),
) -> Generator[Measurement, None, None]:
    """Train a model and yield measurements; settings are checked and the state is built at the call.

    A measurement comes every log_every and probe_every steps, with every evaluation, and at the last step.
    `time/step_ms` and `gradient/clipped` are over the steps since the last measurement, everything else is of the step
    itself. Evaluations score the averaged weights on bank.validation.

    Args:
        recipe: all settings of the run.
        bank: clips with their reference latents; a bank on `device` saves a copy per step.
        perceptual: LPIPS on `device`; None leaves the perceptual loss and score out.
        device: where to train (resolve_device).
        folder: of the run. Checkpoints are written below it once the measurement of their step was taken, and one that
            is there is resumed: only steps after it are yielded, none when it is of the last step.
        captures: of the process, when several trainings share them; only one of these may be open at a time.
        ranks: that take these steps together, each with its part of every batch; all give the same arguments. The first alone
            evaluates and writes; what is measured is of the whole batch on each.
        evaluate_at: steps that are evaluated besides those of training.evaluate_every; the training is the same without them.

    Raises:
        ValueError: the settings contradict each other, the device or the bank, or the folder holds another run.
        NonFiniteError: while training, at the first loss, gradient or evaluated output that is not finite.
        OSError: a checkpoint cannot be written or read.
        LostRankError: another rank is gone.
    """
    check_recipe(recipe, perceptual, device)
    check_division(recipe, device, ranks)
    captures = captures or Captures()
    if is_captured(recipe, device, ranks) and not (folder and has_checkpoint(folder)):
        state = captures.begin(recipe, device)
    else:
        state = start_state(recipe, device, ranks)
        if folder is not None:
            resume(state, recipe, bank, folder)
            check_together(state, folder)
    renewal = Renewal(recipe, bank, device) if recipe.training.renew_every else None
    stepping = start_stepping(state, recipe, bank, perceptual, device, captures)
    measurements = measure_steps(stepping, recipe, bank, perceptual, device, folder, renewal, evaluate_at)
    return with_renewal(measurements, renewal) if renewal else measurements


def with_renewal(
    measurements: Generator[Measurement, None, None], renewal: Renewal
) -> Generator[Measurement, None, None]:
    """The same measurements; the thread of the renewal ends with them."""
    with contextlib.closing(renewal), contextlib.closing(measurements):
        yield from measurements


def show_clips(stepping: Stepping, renewal: Renewal) -> None:
    """Have the next step see the clips that are its own; a wait for them counts as one for data."""
    started = time.perf_counter()
    stepping.show(renewal.at(stepping.state.step))
    stepping.state.tally.waited_s += time.perf_counter() - started


def check_recipe(recipe: Recipe, perceptual: Perceptual | None, device: torch.device) -> None:
    """Refuse settings that cannot be trained as they stand.

    Raises:
        ValueError: no loss has a weight, a perceptual weight without LPIPS, or bfloat16 without CUDA.
    """
    losses = recipe.losses
    if not any((losses.encoder, losses.decoder, losses.reconstruction, losses.perceptual, losses.seraena)):
        raise ValueError("a loss must have a weight above 0, but all five are 0; set losses.reconstruction = 1")
    if losses.perceptual > 0 and perceptual is None:
        raise ValueError(
            f"losses.perceptual above 0 needs LPIPS, but it is {losses.perceptual} and LPIPS is not available; "
            "provide the trunk's weights or set losses.perceptual = 0"
        )
    check_precision(recipe.training.precision, device)


def check_together(state: TrainState, folder: Path) -> None:
    """Refuse ranks that would go on from different checkpoints.

    Raises:
        ValueError: one sees another file than the others, or none.
    """
    steps = state.ranks.gather(torch.tensor([state.step])).tolist()
    if len(set(steps)) > 1:
        raise ValueError(
            f"all ranks must resume from one checkpoint, but in {folder} they find those of the steps {steps}; put the record "
            "in a folder that all machines share"
        )


def measure_steps(
    stepping: Stepping,
    recipe: Recipe,
    bank: Bank,
    perceptual: Perceptual | None,
    device: torch.device,
    folder: Path | None,
    renewal: Renewal | None = None,
    evaluate_at: Collection[int] = (),
) -> Generator[Measurement, None, None]:
    """Take the remaining steps, measure and save where it is due."""
    settings, state = recipe.training, stepping.state
    first = state.ranks.first
    while state.step < settings.steps:
        started = time.perf_counter()
        if renewal:
            show_clips(stepping, renewal)
        probe = is_due(state.step + 1, settings.probe_every, settings.steps)
        stepping.take(probe=probe)
        evaluate_now = is_due(state.step, settings.evaluate_every, settings.steps) or state.step in evaluate_at
        measure_now = probe or evaluate_now or is_due(state.step, settings.log_every, settings.steps)
        save_now = folder is not None and is_due(state.step, settings.checkpoint_every, settings.steps)
        step = stepping.read() if measure_now or save_now else None
        state.tally.add(time.perf_counter() - started)

        if measure_now and step is not None:
            measurement = Measurement(state.step, name_values(step, state.tally, recipe.losses))
            state.tally = Tally()
            if evaluate_now and first:
                measurement = add_scores(measurement, state.average, recipe, bank, perceptual, device)
            yield measurement
        if save_now and first and folder is not None:
            save(state, recipe, bank, folder)
            if state.step == settings.steps:
                save_film(state.average, recipe, bank, folder, device)


def is_due(step: int, every: int, last: int) -> bool:
    """Every so many steps (0: never), and at the last."""
    return (every > 0 and step % every == 0) or step == last
