"""Each loss alone on one batch: its value, its gradient, its target, its exception."""

from collections.abc import Mapping

import torch
from torch import Tensor

from model.bank import Bank
from model.evaluation.perceptual import Perceptual
from model.preflight.frames import keep_input, most_moving
from model.preflight.report import LossCheck
from model.preflight.targets import check_target
from model.recipe import Recipe
from model.training.batches import Batch, take_batch
from model.training.losses import weigh
from model.training.settings import LOSSES
from model.training.state import TrainState
from model.training.step import refuse_non_finite, run_forward

#: The part of the passes that is compared with frames, by loss. The others have latents, features or a critic's wish as target.
OUTPUTS = {"decoder": "decoded", "reconstruction": "reconstruction"}


def check_losses(
    state: TrainState, recipe: Recipe, bank: Bank, perceptual: Perceptual | None, device: torch.device
) -> dict[str, LossCheck]:
    """Compute each loss alone on the most moving clips; nothing moves."""
    batch = take_batch(most_moving(bank, recipe.training.batch_size), 0, recipe, device)
    return {name: check_loss(name, state, batch, recipe, perceptual) for name in LOSSES}


def check_loss(name: str, state: TrainState, batch: Batch, recipe: Recipe, perceptual: Perceptual | None) -> LossCheck:
    """Compute one loss as a training step does; what it raises, being not finite included, becomes its `error`."""
    weight = getattr(recipe.losses, name)
    entered: list[Tensor] = []
    try:
        with keep_input(state.model, entered):
            forward = run_forward(state, batch, recipe, perceptual, names=(name,))
        if name not in forward.losses:
            return LossCheck(weight, None, None, None, None)
        loss = forward.losses[name]
        refuse_non_finite({name: loss.item()}, state.step + 1)
        target = None
        if name in OUTPUTS:
            video = entered[0].unflatten(0, (len(batch.video), -1))
            target = check_target(loss, getattr(forward.passes, OUTPUTS[name]), video)
        weighted = weigh(forward.losses, recipe.losses)
        norm = gradient_norm(name, weighted, state) if weight > 0 else None
    except Exception as error:  # whatever it is, it is what the training would die of, and the report says it
        return LossCheck(weight, None, None, None, f"{type(error).__name__}: {error}")
    return LossCheck(weight, loss.item(), norm, target, None)


def gradient_norm(name: str, weighted: Mapping[str, Tensor], state: TrainState) -> float:
    """L2 norm over all weights of what one loss contributes to a step; 0 for a loss that the sum leaves out."""
    if name not in weighted or not weighted[name].requires_grad:
        return 0.0
    parameters = [parameter for parameter in state.model.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(weighted[name], parameters, allow_unused=True)
    return float(torch.nn.utils.get_total_norm([gradient for gradient in gradients if gradient is not None]))
