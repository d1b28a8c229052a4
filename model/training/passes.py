"""The passes through the network that all five losses share: one encode, two decodes."""

from dataclasses import dataclass

import torch
from torch import Tensor

from model.network.taehv import TAEHV
from model.training.batches import Batch
from model.training.settings import LossSettings


@dataclass(frozen=True)
class Passes:
    """What the network makes of a batch; float32 NTCHW, videos unclamped.

    Attributes:
        latents: encode(video).
        decoded: decode(reference latents).
        reconstruction: decode(encode(video)).
    """

    latents: Tensor
    decoded: Tensor
    reconstruction: Tensor


def run_passes(model: TAEHV, batch: Batch, weights: LossSettings, precision: str) -> Passes:
    """Run the network on a batch, recording a graph only for passes that a loss with a weight needs.

    Training goes through the unclamped output: a clamp has no gradient wherever a fresh decoder is out of range.
    """
    end_to_end = weights.reconstruction > 0 or weights.perceptual > 0
    with autocast(batch.video.device, precision):
        with torch.set_grad_enabled(weights.encoder > 0 or end_to_end):
            latents = model.encode(batch.video)
        with torch.set_grad_enabled(weights.decoder > 0 or weights.seraena > 0):
            decoded = model.decode(batch.latents)
        with torch.set_grad_enabled(end_to_end):
            reconstruction = model.decode(latents)
    return Passes(latents.float(), decoded.float(), reconstruction.float())


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Run convolutions in bfloat16 when the precision says so; weights, losses and the optimizer stay float32."""
    # No cache: a weight that was cast in a pass without a graph must still get its gradient in a later pass.
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False)
