"""The five losses and their weighted sum."""

from collections.abc import Callable, Mapping, Sequence

import torch.nn.functional as F
from torch import Tensor

from model.network.critic import group_frames
from model.training.batches import Batch
from model.training.passes import Passes, made
from model.training.settings import LOSSES, LossSettings


def measure_losses(
    passes: Passes,
    batch: Batch,
    corrected_groups: Tensor | None,
    perceived: Tensor | None,
    weights: LossSettings,
    names: Sequence[str] = LOSSES,
) -> dict[str, Tensor]:
    """Return the unweighted losses as 0-dim float32 tensors; one of weight 0 is measured without a gradient.

    Args:
        passes: what the network made of the batch.
        batch: video [0, 1] and reference latents.
        corrected_groups: the critic's targets for passes.decoded in groups of frames as it sees them,
            [N * groups, 3 * group frames, H, W], without gradient; None without "seraena".
        perceived: the perceptual loss (model/training/perceptual_loss.py); None leaves it out of the result.
        weights: of the losses.
        names: the losses to compute.
    """
    compute: dict[str, Callable[[], Tensor]] = {
        "encoder": lambda: encoder_loss(passes, batch, weights.encoder),
        "decoder": lambda: decoder_loss(passes, batch, weights.decoder),
        "reconstruction": lambda: reconstruction_loss(passes, batch, weights.reconstruction),
        "seraena": lambda: seraena_loss(passes, corrected_groups, weights),
    }
    if perceived is not None:
        compute["perceptual"] = lambda: perceived
    return {name: compute[name]() for name in names if name in compute}


def encoder_loss(passes: Passes, batch: Batch, weight: float) -> Tensor:
    """Mean squared error of the latents against the reference's."""
    return F.mse_loss(live(passes.latents, weight), batch.latents)


def decoder_loss(passes: Passes, batch: Batch, weight: float) -> Tensor:
    """Mean squared error of the decoded reference latents against the frames."""
    return F.mse_loss(live(made(passes.decoded), weight), batch.video)


def reconstruction_loss(passes: Passes, batch: Batch, weight: float) -> Tensor:
    """Mean squared error of the round trip against the frames."""
    return F.mse_loss(live(made(passes.reconstruction), weight), batch.video)


def seraena_loss(passes: Passes, corrected_groups: Tensor | None, weights: LossSettings) -> Tensor:
    """Mean squared error of the decoded reference latents against what the critic makes of them."""
    groups = group_frames(live(made(passes.decoded), weights.seraena), weights.critic_group_frames)
    return F.mse_loss(groups, made(corrected_groups))


def live(tensor: Tensor, weight: float) -> Tensor:
    """Cut the graph of what only a loss of weight 0 sees."""
    return tensor if weight > 0 else tensor.detach()


def weigh(losses: Mapping[str, Tensor], weights: LossSettings) -> dict[str, Tensor]:
    """Return weight * loss of the losses that have a weight."""
    return {name: getattr(weights, name) * loss for name, loss in losses.items() if getattr(weights, name) > 0}
