"""3x3 convolutions from or to a few channels, as a GPU's matrix units like them.

cuDNN pads such tensors to 8 channels and then takes several times as long as the memory traffic asks for. Written as a matrix
product over the pixels, with the nine taps as columns, the same sums need no padding (times: docs/LOG.md, "the captured step").
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx

#: Columns of the matrix: nine taps of three channels, filled up to a width that the matrix units take.
COLUMNS = 32
TAPS = 9


class NarrowConvolution(nn.Conv2d):
    """A 3x3 convolution that keeps the size; compiled under autocast it is a matrix product where its inputs or outputs are few.

    In float32 it stays a convolution: cuDNN then uses the matrix units (TF32), a matrix product of torch's does not.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1)

    def forward(self, frames: Tensor) -> Tensor:
        """N C H W -> N C' H W."""
        assert self.bias is not None
        if torch.compiler.is_compiling() and torch.is_autocast_enabled(frames.device.type):
            if TAPS * self.in_channels <= COLUMNS:
                return from_few(frames, self.weight, self.bias)
            if TAPS * self.out_channels <= COLUMNS:
                return to_few(frames, self.weight, self.bias)
        return super().forward(frames)


def from_few(frames: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Gather the taps of each pixel, then multiply."""
    columns = fill_up(neighbours(frames.permute(0, 2, 3, 1)).flatten(3))
    return F.linear(columns, fill_up(weight.flatten(1)), bias).permute(0, 3, 1, 2)


def to_few(frames: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Multiply each pixel with all taps, then add up what lands on the same pixel."""
    matrix = fill_up(weight.permute(1, 2, 3, 0).flatten(1)).mT
    products = F.linear(frames.permute(0, 2, 3, 1), matrix)[..., : TAPS * len(bias)].unflatten(3, (3, 3, -1))
    return (AddedTaps.apply(products.float()) + bias).permute(0, 3, 1, 2)


class AddedTaps(torch.autograd.Function):
    """N H W 3 3 C -> N H W C: each pixel's sum of the taps of its 3x3 neighbours that lie on it.

    torch would find the gradient too, as nine additions of mostly zeros.
    """

    @staticmethod
    def forward(context: FunctionCtx, products: Tensor) -> Tensor:
        """Sum."""
        height, width = products.shape[1:3]
        padded = F.pad(products, (0, 0, 0, 0, 0, 0, 1, 1, 1, 1))
        total = torch.zeros_like(products[..., 0, 0, :])
        for row in range(3):
            for column in range(3):
                total = total + padded[:, row : row + height, column : column + width, row, column]
        return total

    @staticmethod
    def backward(context: FunctionCtx, gradient: Tensor) -> Tensor:
        """The tap to a neighbour gets the gradient of that neighbour, on the other side of the pixel."""
        return neighbours(gradient).flip(4, 5).permute(0, 1, 2, 4, 5, 3)


def neighbours(pixels: Tensor) -> Tensor:
    """N H W C -> N H W C 3 3, with zeros around the frame."""
    return F.pad(pixels, (0, 0, 1, 1, 1, 1)).unfold(1, 3, 1).unfold(2, 3, 1)


def fill_up(values: Tensor) -> Tensor:
    """Zeros behind the last axis, up to COLUMNS."""
    return F.pad(values, (0, COLUMNS - values.shape[-1]))
