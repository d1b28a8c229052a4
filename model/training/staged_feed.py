"""Two batches on the device, used in turn: while training reads one, the next is fetched from the host."""

import time
from contextlib import nullcontext

import torch
from torch import Tensor

from model.bank import Bank
from model.training.fetching import Fetching, whole_pages
from model.training.slices import fill, moved


class StagedFeed:
    """A feed (model.training.feed.Feed) of a bank that does not fit on the device.

    On CUDA the bank is copied to page-locked memory once, so that the GPU fetches clips by itself, on a stream of its own,
    and the host never waits for it. On the CPU the bank stays where it is and clips are copied at the call.

    Args:
        bank: on the CPU.
        batch_size: most clips of a batch.
        device: where `clips` and `latents` are; they hold 2 * batch_size clips each.
        latents_dtype: of `latents`.
    """

    def __init__(self, bank: Bank, batch_size: int, device: torch.device, latents_dtype: torch.dtype) -> None:
        self.batch_size = batch_size
        self.source = bank.training
        self.bank_clips = on_host(bank.training, torch.uint8, device)
        self.bank_latents = on_host(bank.training_latents, latents_dtype, device)
        self.clips = room_for(2 * batch_size, self.bank_clips, device)
        self.latents = room_for(2 * batch_size, self.bank_latents, device)
        self.fetching = Fetching(self.clips.device, self.bank_clips, self.bank_latents) if self.clips.is_cuda else None
        self.half = 1  # that the last `place` gave out; the first gives 0
        self.fetched: Tensor | None = None  # what the other half holds
        self.host_wait_s = 0.0

    def place(self, indices: Tensor) -> Tensor:
        """Return where the batch lies, and have what is queued afterwards on the current stream find it there."""
        if self.fetching:
            self.fetching.release(self.half)
        if self.fetched is None or not torch.equal(self.fetched, indices):
            started = time.perf_counter()
            self.prefetch(indices)
            self.host_wait_s += time.perf_counter() - started
        self.half, self.fetched = 1 - self.half, None
        if self.fetching:
            self.fetching.await_half(self.half)
        first = self.half * self.batch_size
        return torch.arange(first, first + len(indices))

    def prefetch(self, indices: Tensor) -> None:
        """Fetch a batch into the half that training does not read, once all work that read it is done."""
        assert len(indices) <= self.batch_size, f"{len(indices)} clips, but there is room for {self.batch_size}"
        half = 1 - self.half
        with self.fetching.into(half) if self.fetching else nullcontext():
            for row, index in enumerate(indices.tolist(), half * self.batch_size):
                self.clips[row].copy_(self.bank_clips[index], non_blocking=True)
                self.latents[row].copy_(self.bank_latents[index], non_blocking=True)
        self.fetched = indices.clone()

    def renew(self, clips: Tensor, latents: Tensor) -> None:
        """Fetch from other clips from now on: on CUDA copied to the memory that is locked, after all fetching from it."""
        if clips is self.source:
            return
        if self.fetching:
            self.fetching.stream.synchronize()
            fill(self.bank_clips, clips)
            fill(self.bank_latents, latents)
        else:
            self.bank_clips, self.bank_latents = clips, moved(latents, latents.device, self.bank_latents.dtype)
        self.source, self.fetched = clips, None

    @property
    def wait_s(self) -> float:
        """Seconds of the host in fetching what was not prefetched, and of the device before a batch had arrived."""
        return self.host_wait_s + (self.fetching.wait_s if self.fetching else 0.0)


def on_host(tensor: Tensor, dtype: torch.dtype, device: torch.device) -> Tensor:
    """A tensor of the bank where the device fetches from: for a GPU in memory that can be locked."""
    if device.type == "cuda":
        return fill(whole_pages(tensor, dtype), tensor)
    return moved(tensor, torch.device("cpu"), dtype)


def room_for(rows: int, like: Tensor, device: torch.device) -> Tensor:
    """Zeros for so many rows of a tensor."""
    return torch.zeros(rows, *like.shape[1:], dtype=like.dtype, device=device)
