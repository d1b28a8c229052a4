"""Work on many files at once. Threads and not processes: PyAV and torch release the interpreter's lock."""

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from model.data.settings import DataSettings
from model.threads import torch_threads

Item = TypeVar("Item")
Result = TypeVar("Result")


def worker_count(settings: DataSettings) -> int:
    """Return `data.workers`, or one per core, at most 8 (more only wait for the disk)."""
    return settings.workers or min(os.cpu_count() or 1, 8)


def in_parallel(function: Callable[[Item], Result], items: Iterable[Item], workers: int) -> Iterator[Result]:
    """Yield function(item) in the order of the items; an exception stops the work and passes through.

    Torch's own threads are off meanwhile: on a small operation in each of several threads they spend most of the time
    waiting for one another (measured on two busy cores: 40 times slower).
    """
    with torch_threads(1), ThreadPoolExecutor(workers) as pool:
        yield from pool.map(function, items)
