"""The passes through the network that all five losses share: one encode, one decode of two kinds of latents."""

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

    Both decodes are one call on twice the batch: kernels this small cost almost the same for either. Training goes through
    the unclamped output: a clamp has no gradient wherever a fresh decoder is out of range.
    """
    end_to_end = weights.reconstruction > 0 or weights.perceptual > 0
    with autocast(batch.video.device, precision):
        with torch.set_grad_enabled(weights.encoder > 0 or end_to_end):
            latents = model.encode(batch.video).float()
        with torch.set_grad_enabled(end_to_end or weights.decoder > 0 or weights.seraena > 0):
            own = latents if end_to_end else latents.detach()
            decoded, reconstruction = model.decode(torch.cat([batch.latents, own])).float().chunk(2)
    return Passes(latents, decoded, reconstruction)


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Run convolutions in bfloat16 when the precision says so; weights, losses and the optimizer stay float32."""
    # No cache: a weight that was cast in a pass without a graph must still get its gradient in a later pass.
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False)
