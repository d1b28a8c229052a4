"""The preflight: seconds of measuring on the functions that training and evaluation use, before hours are spent."""

import time
from collections.abc import Callable
from dataclasses import replace

import torch

from model.bank import Bank
from model.evaluation.perceptual import Perceptual
from model.preflight.fit import check_fit
from model.preflight.inputs import check_evaluation_input, check_training_input
from model.preflight.losses import check_losses
from model.preflight.reference import check_reference
from model.preflight.report import LossCheck, Preflight
from model.preflight.schedule import check_schedule
from model.preflight.shared import MOST_LISTED, find_shared
from model.preflight.start import check_start
from model.recipe import Recipe
from model.threads import torch_threads
from model.training.state import start_state


def run_preflight(
    recipe: Recipe,
    bank: Bank,
    perceptual: Perceptual | None,
    device: torch.device,
    say: Callable[[str], None],
) -> Preflight:
    """Measure all that can go wrong before the first step of a training; the global random state is left as it was.

    Args:
        recipe: of the training.
        bank: that it trains on.
        perceptual: LPIPS on `device`; None leaves that loss out.
        device: where it trains.
        say: prints a line.

    Raises:
        ValueError: the settings contradict each other or the bank.
        RuntimeError: the network or the evaluation itself cannot be run; what a single loss raises is in the report.
    """
    say("preflight: measuring what enters the model, what the losses pull towards, the reference, a short fit")
    started = time.perf_counter()
    # Small convolutions gain little from more threads, and lose tenfold where cores are not free: with two on two cores that
    # others used as well, a preflight took 34 to 53 s instead of 12.
    with torch_threads(max(1, torch.get_num_threads() // 2)):
        report = measure(recipe, bank, perceptual, device)
    if device.type == "cuda":
        torch.cuda.empty_cache()  # workers are other processes on the same device
    return replace(report, seconds=time.perf_counter() - started)


def measure(recipe: Recipe, bank: Bank, perceptual: Perceptual | None, device: torch.device) -> Preflight:
    """All measurements, one after the other; the fit comes last because it alone moves the state."""
    state = start_state(recipe, device)
    training_input = check_training_input(state, recipe, bank, device)
    evaluation_input = check_evaluation_input(state, recipe, bank, device)
    losses = check_losses(state, recipe, bank, perceptual, device)
    start = check_start(state, recipe)
    reference = check_reference(recipe, bank, device)
    shared = find_shared(bank)
    broken = any(loss.error for loss in losses.values())
    fit = None if broken else check_fit(state, recipe, bank, device)
    return Preflight(
        seconds=0.0,  # the caller's clock
        training_input=training_input,
        evaluation_input=evaluation_input,
        losses=losses,
        reference=reference,
        start=start,
        fit=fit,
        shared=shared[:MOST_LISTED],
        num_shared=len(shared),
        schedule=check_schedule(recipe),
    )


def for_trial(preflight: Preflight, recipe: Recipe) -> Preflight:
    """What a study's preflight says of one of its trials, whose weights of losses and schedule are its own.

    A gradient grows with the weight, so it is scaled and not measured again.
    """
    losses = {name: reweigh(loss, getattr(recipe.losses, name)) for name, loss in preflight.losses.items()}
    return replace(preflight, losses=losses, schedule=check_schedule(recipe))


def reweigh(loss: LossCheck, weight: float) -> LossCheck:
    """A loss with another weight; without one it has no gradient and pulls towards nothing."""
    if weight == 0:
        return replace(loss, weight=0.0, gradient_norm=None, target=None)
    if loss.gradient_norm is None:  # nothing that could be scaled: it raised, or had no weight when it was measured
        return loss
    return replace(loss, weight=weight, gradient_norm=loss.gradient_norm * weight / loss.weight)
