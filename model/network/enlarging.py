"""The decoder's way to twice the size: repeated pixels and a convolution, which are one convolution at the smaller size."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EnlargingConvolution(nn.Conv2d):
    """Repeats each pixel twice along height and width, then applies a 3x3 convolution without bias.

    The released networks repeat them before their TimeGrow. A 1x1 convolution and the repetition of pixels may change
    places, and after it there are a quarter as many pixels to convolve.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, padding=1, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        """N C H W -> N C' 2H 2W."""
        if torch.compiler.is_compiling():
            # On a GPU repeated pixels cost more than the zeros in the other form (docs/LOG.md); eager steps are the reference.
            return spread(F.conv2d(frames, quarter_weights(self.weight), padding=1))
        return super().forward(F.interpolate(frames, scale_factor=2))


def quarter_weights(weight: Tensor) -> Tensor:
    """Weights that give, from the pixels before they are repeated, the four results that lie on each.

    Args:
        weight: O C 3 3, for the repeated pixels.

    Returns:
        4O C 3 3: upper left, upper right, lower left, lower right.
    """
    rows = torch.stack(halves(weight, 2))
    return torch.stack(halves(rows, 4), 1).flatten(0, 2)


def halves(weight: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Three taps on repeated pixels as taps on pixels: for the first and the second of each two."""
    before, here, after = weight.unbind(axis)
    nothing = torch.zeros_like(here)
    return torch.stack([before, here + after, nothing], axis), torch.stack([nothing, before + here, after], axis)


def spread(quarters: Tensor) -> Tensor:
    """Put the four results where they belong: N 4O H W -> N O 2H 2W, by way of the convolutions' own layout."""
    pixels = quarters.permute(0, 2, 3, 1).unflatten(3, (2, 2, -1))  # N H W row column O
    return pixels.transpose(2, 3).flatten(3, 4).flatten(1, 2).permute(0, 3, 1, 2)
