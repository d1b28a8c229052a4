"""Temporal flicker: change from frame to frame that the clip does not have, or has and the output lacks."""

import torch
from torch import Tensor


def flicker(prediction: Tensor, target: Tensor) -> Tensor:
    """Root mean square difference between the output's and the clip's change from frame to frame, of every clip.

    sqrt(mean(((p[t+1] - p[t]) - (x[t+1] - x[t]))^2)) over frames t, channels and pixels. 0 for a perfect copy, and for an
    error that stands still, which PSNR counts and the eye forgives; a still output has the clip's own motion. A clip of one
    frame has none.

    Args:
        prediction: float32 NTCHW; values outside [0, 1] are clamped, as a screen would show them.
        target: float32 NTCHW in [0, 1].

    Returns:
        float32 [N] on the same device, in units of the data range.
    """
    assert prediction.shape == target.shape, (prediction.shape, target.shape)
    if target.shape[1] == 1:
        return torch.zeros(len(target), device=target.device)
    error = prediction.clamp(0, 1) - target  # the difference of the changes is the change of the difference
    return error.diff(dim=1).square().mean(dim=(1, 2, 3, 4)).sqrt()
