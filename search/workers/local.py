"""Workers as processes of this machine."""

import contextlib
import multiprocessing
import os
import socket
import struct
from collections.abc import Iterator
from multiprocessing.connection import Connection
from typing import Any

from search.workers.handle import WorkerHandle
from search.workers.messages import Assignment
from search.workers.worker import work

#: glibc's malloc keeps blocks of up to 32 MiB (the most it allows) and 4 GiB of freed memory instead of giving each back to
#: the system and having it cleared anew in the next step: an eager step is about 6 % faster. It is read when a process starts.
MALLOC = {"MALLOC_MMAP_THRESHOLD_": str(32 * 2**20), "MALLOC_TRIM_THRESHOLD_": str(4 * 2**30)}

#: Seconds that a worker gets to leave by itself once its connection is closed: an idle one does at once, and in order; one
#: that trains when it next speaks.
LEAVE_S = 3

#: Seconds that the rest of a message may take: a worker that stands still in the middle of one must not hold the coordinator.
MESSAGE_S = 60.0

#: Seconds from the signal that asks a worker to end to the one that it cannot refuse.
GRACE_S = 10


def give_up_after(connection: Connection, seconds: float) -> None:
    """Have reads that get nothing for so long end with BlockingIOError; a pipe for both ways is a pair of sockets."""
    with socket.socket(fileno=connection.fileno()) as line:
        whole = int(seconds)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", whole, int((seconds - whole) * 1e6)))
        line.detach()  # the connection keeps its number


@contextlib.contextmanager
def malloc_settings() -> Iterator[None]:
    """While this is open, processes start with MALLOC; what a person has set stays."""
    missing = {name: value for name, value in MALLOC.items() if name not in os.environ}
    os.environ.update(missing)
    try:
        yield
    finally:
        for name in missing:
            del os.environ[name]


class LocalWorker(WorkerHandle):
    """A process of this machine.

    Processes are spawned, not forked: CUDA and the databases' connections do not survive a fork.
    """

    def __init__(self, assignment: Assignment) -> None:
        super().__init__(assignment)
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=work, args=(theirs, assignment), daemon=True)
        with malloc_settings():
            self.process.start()
        theirs.close()
        give_up_after(self.connection, MESSAGE_S)

    def receive(self) -> Any:
        """Return the next message; EOFError when the process has ended, or stood still in the middle of a message."""
        try:
            return self.connection.recv()
        except (EOFError, OSError) as error:  # OSError: it ended in the middle of a message
            if isinstance(error, BlockingIOError):
                self.kill()
            self.process.join(GRACE_S)  # it closes its end before it is gone, and `stop` shall return its own exit code
            raise EOFError from error

    def kill(self) -> None:
        """End the process with the signal that it cannot refuse."""
        self.process.kill()

    def stop(self) -> int | None:
        """Ask the process to end, then make it; returns its exit code (negative: the signal that killed it)."""
        self.let_go()
        self.process.join(LEAVE_S)
        self.process.terminate()
        self.process.join(GRACE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        return self.process.exitcode

    def again(self) -> "LocalWorker":
        """Start another process for the same assignment."""
        return LocalWorker(self.assignment)


@contextlib.contextmanager
def started_workers(assignments: list[Assignment]) -> Iterator[list[WorkerHandle]]:
    """Start a worker for each assignment; at the end of the block all in the list have ended, however it is left."""
    workers: list[WorkerHandle] = []
    try:
        for assignment in assignments:
            workers.append(LocalWorker(assignment))
        yield workers
    finally:
        for worker in workers:
            worker.stop()
