"""The perceptual loss, whose gradient is known before the backward pass of a step begins.

LPIPS is a chain of some hundred small kernels forward and as many back. Taken to its end as soon as there is a
reconstruction, it runs beside the critic's correction, which such kernels leave room for.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from model.evaluation.perceptual import Perceptual
from model.training.batches import Batch


def describe_targets(perceptual: Perceptual, batch: Batch) -> list[Tensor]:
    """What LPIPS sees in the batch's chosen frames, without a graph; no part of the network is needed for it."""
    if not len(batch.perceptual_frames):
        return []
    with torch.no_grad():
        return perceptual.describe(choose_frames(batch.video, batch))


def compare_frames(perceptual: Perceptual, reconstruction: Tensor, batch: Batch, wanted: Sequence[Tensor]) -> Tensor:
    """LPIPS of the chosen frames of a reconstruction against what was seen in the batch's, their mean; 0-dim.

    Of several ranks each compares its own frames and counts them by `batch.perceptual_share`; one without any has a loss of 0
    with a gradient of zeros, as the others have one.
    """
    if not len(batch.perceptual_frames):
        return 0.0 * reconstruction.sum()
    loss = perceptual.compare(choose_frames(reconstruction, batch), wanted).mean()
    return loss if batch.perceptual_share == 1 else batch.perceptual_share * loss


def choose_frames(video: Tensor, batch: Batch) -> Tensor:
    """The frames of NTCHW video that the loss looks at, as videos of one frame."""
    return video.flatten(0, 1)[batch.perceptual_frames].unsqueeze(1)


def perceptual_loss(
    perceptual: Perceptual,
    reconstruction: Tensor,
    batch: Batch,
    wanted: Sequence[Tensor],
    weight: float,
    compare: Callable[..., Tensor] = compare_frames,
) -> Tensor:
    """LPIPS of a reconstruction, 0-dim; with a weight it is differentiable in it, and its gradient is computed here.

    Args:
        perceptual: LPIPS on the device.
        reconstruction: NTCHW.
        batch: that was reconstructed.
        wanted: describe_targets of the batch.
        weight: of the loss.
        compare: compare_frames, or what a compiler made of it.
    """
    if weight == 0 or not reconstruction.requires_grad:
        return compare(perceptual, reconstruction.detach(), batch, wanted)
    with torch.enable_grad():
        alone = reconstruction.detach().requires_grad_(True)
        loss = compare(perceptual, alone, batch, wanted)
    (gradient,) = torch.autograd.grad(loss, alone)
    known: Tensor = KnownGradient.apply(reconstruction, loss.detach(), gradient)
    return known


class KnownGradient(torch.autograd.Function):
    """A 0-dim value of a tensor whose gradient was computed before."""

    @staticmethod
    def forward(context: Any, tensor: Tensor, value: Tensor, gradient: Tensor) -> Tensor:  # noqa: D102 - torch's name, and what torch calls it for
        context.save_for_backward(gradient)
        return value.clone()

    @staticmethod
    def backward(context: Any, outer: Tensor) -> tuple[Tensor, None, None]:  # noqa: D102 - likewise
        (gradient,) = context.saved_tensors
        return outer * gradient, None, None
