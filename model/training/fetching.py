"""How a GPU fetches from host memory beside its work: page-locked memory, a stream of its own, events between the two."""

import mmap
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


class Fetching:
    """Keeps what fills the two halves of a buffer and what reads them apart; the host waits for neither.

    Args:
        device: the GPU that fetches.
        sources: tensors on the CPU that it will fetch from; their pages are locked as long as this lives.

    Raises:
        RuntimeError: the system cannot lock so much memory.
    """

    def __init__(self, device: torch.device, *sources: Tensor) -> None:
        self.device = device
        self.stream = torch.cuda.Stream(device)
        self.stream.wait_stream(torch.cuda.current_stream(device))  # which is still zeroing the buffer
        self.released = [torch.cuda.Event(), torch.cuda.Event()]
        self.arrived = [torch.cuda.Event(), torch.cuda.Event()]
        self.waits: deque[tuple[torch.cuda.Event, torch.cuda.Event]] = deque()
        self.finished_wait_s = 0.0
        # At the end of the process the system unlocks by itself, and CUDA may be gone.
        weakref.finalize(self, close, self.stream, lock(*sources)).atexit = False

    def release(self, half: int) -> None:
        """Say that all work that reads a half has been queued on the current stream."""
        self.released[half].record(torch.cuda.current_stream(self.device))

    @contextmanager
    def into(self, half: int) -> Iterator[None]:
        """Queue copies into a half: they begin when the work that was queued before its release is done."""
        self.stream.wait_event(self.released[half])
        with torch.cuda.stream(self.stream):
            yield
        self.arrived[half].record(self.stream)

    def await_half(self, half: int) -> None:
        """Have work that is queued on the current stream from now on wait for the copies into a half."""
        reached, ready = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        stream = torch.cuda.current_stream(self.device)
        reached.record(stream)
        stream.wait_event(self.arrived[half])
        ready.record(stream)
        self.waits.append((reached, ready))
        self.add_finished()

    def add_finished(self) -> None:
        """Add up the waits that are over."""
        while self.waits and self.waits[0][1].query():
            reached, ready = self.waits.popleft()
            self.finished_wait_s += reached.elapsed_time(ready) / 1000

    @property
    def wait_s(self) -> float:
        """Seconds that the device has stood before a half that was not there yet; a wait counts when it is over."""
        self.add_finished()
        return self.finished_wait_s


def whole_pages(like: Tensor, dtype: torch.dtype) -> Tensor:
    """Memory of the CPU for a tensor of this shape that shares no page with anything else, so that it can be locked alone.

    `Tensor.pin_memory` takes a power of two of bytes instead: 16 GiB for a bank of 9.
    """
    size = like.numel() * dtype.itemsize
    pages = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return torch.frombuffer(pages, dtype=dtype, count=like.numel()).view(like.shape)


def lock(*tensors: Tensor) -> tuple[Tensor, ...]:
    """Lock the pages of tensors where they lie, all or none.

    Raises:
        RuntimeError: the system cannot lock so much memory.
    """
    for count, tensor in enumerate(tensors):
        code = int(torch.cuda.cudart().cudaHostRegister(tensor.data_ptr(), tensor.nbytes, 0))
        if code:
            unlock(*tensors[:count])
            raise RuntimeError(
                f"a bank too large for the GPU must fit in page-locked memory, but CUDA cannot lock {tensor.nbytes} bytes "
                f"(error {code}); free memory, or lower data.training_clips"
            )
    return tensors


def unlock(*tensors: Tensor) -> None:
    """Unlock pages that nothing fetches from any more."""
    for tensor in tensors:
        torch.cuda.cudart().cudaHostUnregister(tensor.data_ptr())


def close(stream: torch.cuda.Stream, tensors: tuple[Tensor, ...]) -> None:
    """Unlock pages once the stream that fetches from them is done."""
    stream.synchronize()
    unlock(*tensors)
