"""A short training on one batch: a network that cannot learn four clips by heart will learn nothing else."""

import statistics

import torch
from torch import Tensor

from model.bank import Bank
from model.preflight.report import FitCheck
from model.recipe import Recipe
from model.settings import change
from model.training.batches import take_batch
from model.training.passes import made
from model.training.settings import LOSSES
from model.training.state import TrainState
from model.training.step import run_forward, take_step

#: After 60 steps at 3e-4 the loss of the full network was at 23 to 54 % of the first, for four seeds and both initialisations;
#: 30 steps left up to 94 %, and at 1e-3 one seed stood above its first loss there (docs/LOG.md).
STEPS = 60
#: At full width; a narrower network takes a rate that is higher by as much, as its layers sum over fewer values. At widths of
#: a quarter and an eighth the loss was then at 3 to 75 %.
RATE = 3e-4
#: From given weights: a trained network is near a minimum, and a high rate makes it worse before it gets better.
RATE_FROM_WEIGHTS = 1e-4
#: Losses whose median is the last one: a single step may be a spike.
LAST = 10


def check_fit(state: TrainState, recipe: Recipe, bank: Bank, device: torch.device) -> FitCheck:
    """Train the fresh state on one batch by the reconstruction loss alone, with the recipe's optimizer at a constant rate.

    Raises:
        NonFiniteError: a loss or gradient was not finite.
    """
    batch = take_batch(bank, 0, recipe, device)
    alone = fit_recipe(recipe)
    before = [tensor.detach().clone() for tensor in state.model.parameters()]
    losses = [take_step(state, batch, alone, None, probe=False).losses["reconstruction"] for _ in range(STEPS)]
    moved = [now.detach() - then for now, then in zip(state.model.parameters(), before, strict=True)]
    output = made(run_forward(state, batch, alone, None, names=("reconstruction",)).passes.reconstruction)
    return FitCheck(
        steps=STEPS,
        first_loss=losses[0],
        last_loss=statistics.median(losses[-LAST:]),
        change=norm(moved) / max(norm(before), torch.finfo(torch.float32).tiny),
        output_std=float(output.detach().std(correction=0)),
        target_std=float(batch.video.std(correction=0)),
    )


def fit_recipe(recipe: Recipe) -> Recipe:
    """The recipe with only the reconstruction loss, at a constant rate that suits few steps."""
    weights = {f"losses.{name}": float(name == "reconstruction") for name in LOSSES}
    rate = RATE_FROM_WEIGHTS if recipe.network.weights else RATE / recipe.network.width
    return change(recipe, {**weights, "schedule.kind": "constant", "optimizer.learning_rate": rate})


def norm(tensors: list[Tensor]) -> float:
    """L2 norm of all values together."""
    return float(torch.nn.utils.get_total_norm(tensors))
