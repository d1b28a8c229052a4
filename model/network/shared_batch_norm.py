"""Batch norm over the batches of all ranks together; torch's own (SyncBatchNorm) refuses CPUs."""

import torch
from torch import Tensor, nn

from model.ranks import Ranks


class SharedBatchNorm(nn.BatchNorm2d):
    """nn.BatchNorm2d whose mean and variance are those of all ranks' equal parts of a batch; the same state dict.

    Ioffe and Szegedy 2015, arXiv:1502.03167, with the sums taken over ranks. In float32 whatever comes in.
    """

    def __init__(self, channels: int, ranks: Ranks) -> None:
        super().__init__(channels)
        self.ranks = ranks

    def forward(self, x: Tensor) -> Tensor:
        """Normalise NCHW: with the batch's statistics while training, else with the running ones."""
        if not self.training:
            return super().forward(x)
        assert self.momentum is not None
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        values = x.float()
        # Two passes: the mean of the squares less the square of the mean would lose the digits of a small variance.
        mean = self.ranks.average(values.mean((0, 2, 3)))
        centred = values - mean.view(1, -1, 1, 1)
        variance = self.ranks.average(centred.square().mean((0, 2, 3)))
        with torch.no_grad():
            count = self.ranks.count * x.numel() // x.shape[1]
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)).to(x.dtype)
