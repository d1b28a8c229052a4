"""Moments of several tensors taken together."""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.preflight.report import TensorRange
from model.training.inputs import moments


def pool(parts: Sequence[Tensor]) -> TensorRange:
    """The range of equally large parts, each given by its moments (model/training/inputs.py: least, greatest, mean, std).

    The variance of the whole is the mean of the parts' variances and the variance of their means. Where a last batch is
    smaller, its mean counts as much as a whole one's; least and greatest value are exact.
    """
    assert parts, "nothing was seen"
    minimum, maximum, means, deviations = torch.stack(list(parts)).double().cpu().unbind(1)
    std = (deviations.square().mean() + means.var(correction=0)).sqrt()
    return TensorRange(float(minimum.min()), float(maximum.max()), float(means.mean()), float(std))


def range_of(values: Tensor) -> TensorRange:
    """The range of one tensor."""
    return pool([moments(values)])
