"""The five losses and their weighted sum."""

from collections.abc import Mapping

import torch.nn.functional as F
from torch import Tensor

from model.evaluation.perceptual import Perceptual
from model.training.batches import Batch
from model.training.passes import Passes
from model.training.settings import LossSettings

LOSSES = ("encoder", "decoder", "reconstruction", "perceptual", "seraena")


def measure_losses(
    passes: Passes,
    batch: Batch,
    fake_groups: Tensor,
    corrected_groups: Tensor,
    perceptual: Perceptual | None,
    weights: LossSettings,
) -> dict[str, Tensor]:
    """Return the unweighted losses as 0-dim float32 tensors; one of weight 0 is measured without a gradient.

    Args:
        passes: what the network made of the batch.
        batch: video [0, 1] and reference latents.
        fake_groups: passes.decoded in groups of frames as the critic sees them, [N * groups, 3 * group frames, H, W].
        corrected_groups: the critic's targets for them; the same shape, without gradient.
        perceptual: LPIPS; without one there is no "perceptual" in the result.
        weights: of the losses.
    """
    losses = {
        "encoder": F.mse_loss(live(passes.latents, weights.encoder), batch.latents),
        "decoder": F.mse_loss(live(passes.decoded, weights.decoder), batch.video),
        "reconstruction": F.mse_loss(live(passes.reconstruction, weights.reconstruction), batch.video),
    }
    if perceptual is not None:
        outputs, targets = (
            video.flatten(0, 1)[batch.perceptual_frames].unsqueeze(1) for video in (passes.reconstruction, batch.video)
        )
        losses["perceptual"] = perceptual(live(outputs, weights.perceptual), targets).mean()
    losses["seraena"] = F.mse_loss(live(fake_groups, weights.seraena), corrected_groups)
    return losses


def live(tensor: Tensor, weight: float) -> Tensor:
    """Cut the graph of what only a loss of weight 0 sees."""
    return tensor if weight > 0 else tensor.detach()


def weigh(losses: Mapping[str, Tensor], weights: LossSettings) -> dict[str, Tensor]:
    """Return weight * loss of the losses that have a weight."""
    return {name: getattr(weights, name) * loss for name, loss in losses.items() if getattr(weights, name) > 0}
