"""The one place where bytes become numbers: the failed run that this project answers to divided by 255 twice."""

import torch
from torch import Tensor


def to_unit(pixels: Tensor) -> Tensor:
    """Turn uint8 pixels of any shape into float32 in [0, 1] on the same device.

    Raises:
        TypeError: the pixels are not uint8, so they were converted before.
    """
    if pixels.dtype != torch.uint8:
        raise TypeError(
            f"pixels must be uint8 to be divided by 255, but are {pixels.dtype}; they were converted already"
        )
    return pixels.to(torch.float32) / 255


def to_bytes(unit: Tensor) -> Tensor:
    """Turn values in [0, 1] (clamped to it) into rounded uint8 pixels on the same device."""
    return unit.detach().clamp(0, 1).mul(255).round().to(torch.uint8)
