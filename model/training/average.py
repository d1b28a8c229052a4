"""The averaged weights that scores are taken from.

At a high constant learning rate the raw weights of two equal runs differ by several dB, averages over about 5 % of the
horizon by 0.1 dB.
"""

import copy
from collections.abc import Sequence
from typing import TypeVar

import torch
from torch import Tensor, nn

M = TypeVar("M", bound=nn.Module)


def start_average(model: M) -> M:
    """Return a frozen copy of a model, the average before the first step."""
    return copy.deepcopy(model).requires_grad_(False).eval()


def average_decay(step: int, horizon: int, share: float) -> float:
    """Weight that the average keeps when the weights after `step` steps (from 1) join it.

    decay = min(1 - 1 / max(1, share * horizon), step / (step + 9)): an exponential average over share * horizon steps,
    which covers about a ninth of the finished steps until that is enough, so it forgets the initial weights soon. Both
    windows scale with the horizon. share = 0 gives decay 0: the raw weights.
    """
    assert step >= 1, f"step = {step}"
    return min(1 - 1 / max(1.0, share * horizon), step / (step + 9))


@torch.no_grad()
def update_average(average: Sequence[Tensor], weights: Sequence[Tensor], decay: float) -> None:
    """Set average = decay * average + (1 - decay) * weights, in place, in the weights' float32."""
    for ours, theirs in zip(average, weights, strict=True):
        ours.lerp_(theirs, 1 - decay)
