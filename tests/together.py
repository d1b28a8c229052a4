"""Runs a function on several ranks: real processes that send by gloo."""

import multiprocessing
import os
import pickle
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from model.ranks import Ranks, open_ranks


def together(function: Callable[..., Any], *arguments: Any, count: int = 2, codes: tuple[int, ...] = ()) -> list[Any]:
    """What function(ranks, *arguments) returns on each rank; of a rank that leaves with another exit code than 0, None."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / str(rank) for rank in range(count)]
        processes = [
            context.Process(target=join, args=(rank, count, port, file, not codes, function, arguments))
            for rank, file in enumerate(files)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()
        assert tuple(process.exitcode for process in processes) == (codes or (0,) * count)
        return [pickle.loads(file.read_bytes()) if file.exists() else None for file in files]


def join(
    rank: int, count: int, port: int, file: Path, whole: bool, function: Callable[..., Any], arguments: tuple[Any, ...]
) -> None:
    """Become a rank as torchrun starts one, and leave the result in a file."""
    places = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": count, "LOCAL_WORLD_SIZE": count, "MASTER_PORT": port}
    os.environ |= {name: str(value) for name, value in places.items()} | {"MASTER_ADDR": "127.0.0.1"}
    torch.set_num_threads(1)
    with open_ranks() as ranks:
        assert ranks == Ranks(rank, count, count)
        file.write_bytes(pickle.dumps(function(ranks, *arguments)))
    if not whole:
        return  # whoever waits for a rank that died keeps its connection
    # A thread of gloo that is still there may meet the end of the interpreter, which aborts the process.
    names = [task.joinpath("comm").read_text() for task in Path("/proc/self/task").iterdir()]
    assert not any("gloo" in name for name in names), names
