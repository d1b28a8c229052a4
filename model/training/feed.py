"""Where training reads its clips and latents: tensors that stay where they are, so that a CUDA graph may read them."""

from typing import Protocol

import torch
from torch import Tensor

from model.bank import Bank
from model.bank_size import in_words
from model.training.slices import fill, moved
from model.training.staged_feed import StagedFeed

#: Of the free memory of a GPU, what a resident bank may take. The rest is for training, which takes 2 to 4 GB at the measured
#: shape and grows with the crop, and for other workers: of those that share a GPU each takes a quarter of what is left.
RESIDENT_SHARE = 0.25


class Feed(Protocol):
    """Training clips and latents on a device, in tensors that are never moved.

    Attributes:
        clips: uint8, R T 3 H W.
        latents: R T' C h w, of the clips.
    """

    clips: Tensor
    latents: Tensor

    def place(self, indices: Tensor) -> Tensor:
        """Have a batch ready for what is queued on the current stream afterwards.

        Args:
            indices: of clips of the bank, int64 on the CPU.

        Returns:
            Where they lie in `clips` and `latents`, int64 on the CPU; valid for what is queued before the next call.
        """

    def prefetch(self, indices: Tensor) -> None:
        """Begin to fetch the batch of the next `place`; it is found there when it is asked for with the same indices."""

    def renew(self, clips: Tensor, latents: Tensor) -> None:
        """Have other clips (on the CPU, of the same shape) in the place of the bank's; nothing is done if they are there.

        What was queued before still reads the old ones; what was prefetched of them is forgotten.
        """

    @property
    def wait_s(self) -> float:
        """Seconds that training has waited for its batches so far, host and device together."""


def open_feed(
    bank: Bank,
    batch_size: int,
    device: torch.device,
    *,
    latents_dtype: torch.dtype = torch.float32,
    resident: bool | None = None,
) -> Feed:
    """Put what training reads of a bank on its device, or where the device can fetch it.

    Args:
        bank: on the CPU or on `device`.
        batch_size: most clips that `place` is asked for.
        device: of the training.
        latents_dtype: of `Feed.latents`.
        resident: all on the device, or only two batches; None decides by the room that the device has (`fits`).
    """
    if resident if resident is not None else fits(bank, device, latents_dtype):
        return ResidentFeed(bank.training, bank.training_latents, device, latents_dtype)
    return StagedFeed(bank, batch_size, device, latents_dtype)


def fits(bank: Bank, device: torch.device, latents_dtype: torch.dtype) -> bool:
    """Say whether a bank shall be resident: always on the CPU, on a GPU when it takes at most RESIDENT_SHARE of what is free."""
    if device.type != "cuda":
        return True
    return read_bytes(bank, latents_dtype) <= RESIDENT_SHARE * torch.cuda.mem_get_info(device)[0]


def read_bytes(bank: Bank, latents_dtype: torch.dtype) -> int:
    """What training reads of a bank."""
    return bank.training.nbytes + bank.training_latents.numel() * latents_dtype.itemsize


def state_place(bank: Bank, device: torch.device, latents_dtype: torch.dtype) -> str:
    """Say in one line how much training will read and where `open_feed` will put it."""
    size = in_words(read_bytes(bank, latents_dtype))
    if device.type != "cuda":
        return f"bank: training reads {size} in memory"
    if fits(bank, device, latents_dtype):
        return f"bank: training reads {size} on the GPU"
    return f"bank: training reads {size} in pinned memory, prefetched: more than {RESIDENT_SHARE:.0%} of the GPU's free memory"


class ResidentFeed:
    """All clips on the device; on the CPU the tensors that were given, unless the latents change their type."""

    wait_s = 0.0

    def __init__(self, clips: Tensor, latents: Tensor, device: torch.device, latents_dtype: torch.dtype) -> None:
        self.source = clips
        self.clips = moved(clips, device, torch.uint8)
        self.latents = moved(latents, device, latents_dtype)

    def place(self, indices: Tensor) -> Tensor:
        """Return the indices: every clip is in its place."""
        return indices

    def prefetch(self, indices: Tensor) -> None:
        """Do nothing: there is nothing to fetch."""

    def renew(self, clips: Tensor, latents: Tensor) -> None:
        """Copy in place on a GPU, whose graphs read fixed addresses; elsewhere take the tensors, for what is there is shared."""
        if clips is self.source:
            return
        if self.clips.is_cuda:
            assert self.clips is not self.source, "a bank on the device is not ours to write"
            fill(self.clips, clips)
            fill(self.latents, latents)
        else:
            self.clips = clips
            self.latents = moved(latents, self.latents.device, self.latents.dtype)
        self.source = clips
