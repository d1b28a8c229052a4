"""What a loss really pulls an output towards, read from its gradient."""

import torch
from torch import Tensor

from model.preflight.frames import shift_between
from model.preflight.ranges import range_of
from model.preflight.report import TensorRange


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


def check_target(loss: Tensor, output: Tensor, entered: Tensor) -> tuple[int | None, TensorRange | None]:
    """Frame shift and range of the target of a mean squared error; None of a loss without a gradient.

    Args:
        loss: 0-dim; its graph is kept.
        output: that it is computed from, NTCHW.
        entered: the frames that entered the model, NTCHW, at least as many as the output has.
    """
    if not loss.requires_grad or not output.requires_grad:
        return None, None
    (gradient,) = torch.autograd.grad(loss, output, retain_graph=True, allow_unused=True)
    if gradient is None or not gradient.any():
        return None, None
    target, frames = implied_target(output, gradient)
    return shift_between(target, entered[:, frames]), range_of(target)
