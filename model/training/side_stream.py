"""A second queue of GPU work, beside the main one: many kernels of a small network do not fill a GPU."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


class SideStream:
    """Runs work beside what is queued after it, once it has been opened; until then, and on a CPU, in its turn.

    What the work reads has to stay alive until `rejoin`: memory is given out again in the order of the stream that it was
    taken on.
    """

    def __init__(self) -> None:
        self._stream: torch.cuda.Stream | None = None

    def open(self, device: torch.device) -> None:
        """Have a stream of the device's from now on, if it has any."""
        if device.type == "cuda":
            self._stream = torch.cuda.Stream(device)

    @contextmanager
    def beside(self) -> Iterator[None]:
        """What is queued inside follows what was queued before, and runs beside what is queued afterwards."""
        if self._stream is None:
            yield
            return
        self._stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(self._stream):
            yield

    def rejoin(self) -> None:
        """Let what is queued from here on wait for what ran beside."""
        if self._stream is not None:
            torch.cuda.current_stream().wait_stream(self._stream)
