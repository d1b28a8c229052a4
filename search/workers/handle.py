"""What the coordinator holds of a worker, wherever that runs: an end of a pipe, and ways to end it."""

import contextlib
from abc import ABC, abstractmethod
from multiprocessing.connection import Connection
from typing import Any, Self

from search.workers.messages import Assignment, Supply, Task


class WorkerHandle(ABC):
    """A long-lived worker with one device; `connection` can be waited on."""

    connection: Connection

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment
        self.supplied: Supply | None = None

    def supply(self, supply: Supply) -> None:
        """Hand out what the worker waits for before it is ready."""
        self.supplied = supply
        self.send(supply)

    def start(self, task: Task) -> None:
        """Hand out a trial."""
        self.send(task)

    def answer(self, go_on: bool) -> None:
        """Answer a measurement that asks."""
        self.send(go_on)

    def send(self, message: Any) -> None:
        """Send; a worker that has ended hears nothing, and `receive` says so."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send(message)

    @property
    def waits_for_place(self) -> bool:
        """Whether it has nowhere to run yet, so that its silence says nothing."""
        return False

    def let_go(self) -> None:
        """Let the worker end by itself, as an idle one does at once."""
        self.connection.close()

    @abstractmethod
    def receive(self) -> Any:
        """Return the next message.

        Raises:
            EOFError: the worker has ended.
        """

    @abstractmethod
    def kill(self) -> None:
        """End the worker without asking it."""

    @abstractmethod
    def stop(self) -> int | None:
        """End the worker and return its exit code (negative: the signal that killed it; None: lost, nobody saw its end)."""

    @abstractmethod
    def again(self) -> Self:
        """Start another worker for the same assignment."""


def ending(code: int | None) -> str:
    """What `stop` returned, in words."""
    return "was lost with its process or its node" if code is None else f"ended with exit code {code}"
