"""Where training reads its clips and latents: tensors that stay where they are, so that a CUDA graph may read them."""

import torch
from torch import Tensor

from model.bank import Bank


class ResidentFeed:
    """All clips on the device; on the CPU the bank's own tensors."""

    wait_s = 0.0

    def __init__(self, bank: Bank, device: torch.device, latents_dtype: torch.dtype) -> None:
        self.clips = bank.training.to(device)
        self.latents = bank.training_latents.to(device, latents_dtype)

    def place(self, indices: Tensor) -> Tensor:
        """Return the indices: every clip is in its place."""
        return indices

    def prefetch(self, indices: Tensor) -> None:
        """Do nothing: there is nothing to fetch."""


Feed = ResidentFeed


def open_feed(
    bank: Bank,
    batch_size: int,
    device: torch.device,
    *,
    latents_dtype: torch.dtype = torch.float32,
    resident: bool | None = None,
) -> Feed:
    """Put what training reads of a bank on its device."""
    return ResidentFeed(bank, device, latents_dtype)
