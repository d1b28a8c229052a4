"""How many threads torch's operations use."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_threads(count: int) -> Iterator[None]:
    """While this is open, an operation on the CPU uses so many threads of the process; afterwards as many as before.

    Threads of one operation wait for one another, and spin while they wait: where other processes have the cores, more
    threads are slower, and take from the others what they need.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
