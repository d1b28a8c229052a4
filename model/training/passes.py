"""The passes through the network that all five losses share: one encode, one decode of two kinds of latents."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

import torch
from torch import Tensor

from model.network.taehv import TAEHV
from model.training.batches import Batch
from model.training.settings import LOSSES, LossSettings

#: Losses of what the decoder makes of the reference's latents, and of what it makes of the encoder's.
OF_REFERENCE, OF_ROUND_TRIP = ("decoder", "seraena"), ("reconstruction", "perceptual")


@dataclass(frozen=True)
class Passes:
    """What the network makes of a batch; float32 NTCHW, videos unclamped, None where no loss was to be computed of it.

    Attributes:
        latents: encode(video).
        decoded: decode(reference latents).
        reconstruction: decode(encode(video)).
    """

    latents: Tensor
    decoded: Tensor | None
    reconstruction: Tensor | None


def run_passes(
    model: TAEHV,
    batch: Batch,
    weights: LossSettings,
    precision: str,
    names: Collection[str] = LOSSES,
    encode: Callable[..., Tensor] | None = None,
    decode: Callable[..., list[Tensor]] | None = None,
) -> Passes:
    """Run the network on a batch, recording a graph only for passes that a loss with a weight needs.

    Both decodes are one call on twice the batch: kernels this small cost almost the same for either. Training goes through
    the unclamped output: a clamp has no gradient wherever a fresh decoder is out of range.

    Args:
        model: encoder and decoder.
        batch: video and reference latents.
        weights: of the losses.
        precision: float32 or bfloat16.
        names: of the losses that are to be computed.
        encode: what a compiler made of encode_video.
        decode: what it made of decode_latents.
    """
    of_reference, of_round_trip = (any(name in names for name in kind) for kind in (OF_REFERENCE, OF_ROUND_TRIP))
    end_to_end = weights.reconstruction > 0 or weights.perceptual > 0
    with torch.set_grad_enabled(weights.encoder > 0 or end_to_end):
        latents = (encode or encode_video)(model, batch.video, precision)
    inputs = [batch.latents] if of_reference else []
    if of_round_trip:
        inputs.append(latents if end_to_end else latents.detach())
    with torch.set_grad_enabled(end_to_end or weights.decoder > 0 or weights.seraena > 0):
        outputs = (decode or decode_latents)(model, inputs, precision) if inputs else []
    reconstruction = outputs.pop() if of_round_trip else None
    return Passes(latents, outputs.pop() if of_reference else None, reconstruction)


def encode_video(model: TAEHV, video: Tensor, precision: str) -> Tensor:
    """The latents of NTCHW video, float32."""
    with autocast(video.device, precision):
        return model.encode(video).float()


def decode_latents(model: TAEHV, latents: list[Tensor], precision: str) -> list[Tensor]:
    """The videos of several batches of NTCHW latents of one shape, in one call; float32, unclamped."""
    with autocast(latents[0].device, precision):
        return list(model.decode(torch.cat(latents)).float().chunk(len(latents)))


def made(output: Tensor | None) -> Tensor:
    """An output that some loss was to be computed of."""
    assert output is not None, "no loss asked for this pass"
    return output


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """Run convolutions in bfloat16 when the precision says so; weights, losses and the optimizer stay float32."""
    # No cache: a weight that was cast in a pass without a graph must still get its gradient in a later pass.
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16", cache_enabled=False)
