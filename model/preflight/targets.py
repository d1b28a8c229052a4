"""What a loss really pulls an output towards, read from its gradient."""

import torch
import torch.nn.functional as F
from torch import Tensor

from model.preflight.frames import shift_between
from model.preflight.ranges import range_of
from model.preflight.report import TargetCheck


def implied_target(output: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The target of a mean squared error, from its gradient with respect to the output.

    For L = mean((output - target)^2) over M values, dL/d output = 2 (output - target) / M, so
    target = output - gradient * M / 2. Frames without any gradient took no part in the mean.

    Args:
        output: float NTCHW.
        gradient: of the loss, likewise.

    Returns:
        The target NtCHW of the t frames that have a gradient, and their indices.
    """
    # A frame counts as soon as one clip has a gradient in it: the crops that go wrong are along time.
    frames = gradient.abs().amax(dim=(0, 2, 3, 4)).nonzero().flatten()
    used = gradient[:, frames]
    return output[:, frames].detach() - used * used.numel() / 2, frames


def check_target(loss: Tensor, output: Tensor, entered: Tensor) -> TargetCheck | None:
    """Where a mean squared error pulls its output; None of a loss without a gradient.

    Args:
        loss: 0-dim; its graph is kept.
        output: that it is computed from, NTCHW.
        entered: the frames that entered the model, NTCHW, at least as many as the output has.
    """
    if not loss.requires_grad or not output.requires_grad:
        return None
    (gradient,) = torch.autograd.grad(loss, output, retain_graph=True, allow_unused=True)
    if gradient is None or not gradient.any():
        return None
    target, frames = implied_target(output, gradient)
    difference = misdirection(gradient[:, frames], output[:, frames].detach() - entered[:, frames])
    return TargetCheck(shift_between(target, entered[:, frames]), range_of(target), difference)


def misdirection(pull: Tensor, wanted: Tensor) -> float:
    """Sine of the angle between two differences of videos, in [0, 1]: 0 for the same direction, however long each is.

    A loss that is scaled, by a constant or by mistake, still pulls in the right direction; one with another target does not.
    """
    # Not cosine_similarity: its epsilon of 1e-8 would swallow the gradient of a scaled loss.
    one, other = (F.normalize(video.double().flatten(), dim=0, eps=1e-300) for video in (pull, wanted))
    cosine = one @ other
    return float((1 - cosine.square()).clamp_min(0).sqrt()) if cosine > 0 else 1.0
