"""Tensors copied to another device or type in slices, so that no second whole copy is made on the way."""

import torch
from torch import Tensor

#: What is converted at once lies beside the whole copy, so it is small against a bank; much smaller slices only cost calls.
SLICE_BYTES = 64 * 2**20


def moved(tensor: Tensor, device: torch.device, dtype: torch.dtype) -> Tensor:
    """Return the tensor itself where it already is what is wanted, else a copy."""
    if tensor.device == numbered(device) and tensor.dtype == dtype:
        return tensor
    return fill(torch.empty(tensor.shape, dtype=dtype, device=device), tensor)


def fill(place: Tensor, tensor: Tensor) -> Tensor:
    """Copy a tensor into a place of its shape, in slices of the first dimension; returns the place."""
    rows = max(SLICE_BYTES * len(tensor) // max(tensor.nbytes, 1), 1)
    for first in range(0, len(tensor), rows):
        # Converted before it travels: bfloat16 has half the way.
        place[first : first + rows] = tensor[first : first + rows].to(place.dtype)
    return place


def numbered(device: torch.device) -> torch.device:
    """The device with its number: "cuda" is the current one, and tensors name theirs by number."""
    return torch.empty(0, device=device).device
