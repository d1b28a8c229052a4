"""The way of everything that is written into the record: at once, or over the disk while its database or server is away."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from tracking.address import without_password
from tracking.failure import is_away, is_fault
from tracking.operations import Operation
from tracking.spool import Spool

#: Seconds between two tries to reach what is away, and how many times as long as a try took at least: one that waits for an
#: answer must not take the study's time.
RETRY_S, RETRY_FACTOR = 2.0, 4.0
#: Seconds that one write of a study may spend on delivering those before it: a thousand take half a minute over HTTP.
DRAIN_S = 0.5

Say = Callable[[str], None]


class Perform(Protocol):
    """Does one operation; `again` says that it may have been done before."""

    def __call__(self, operation: Operation, *, again: bool) -> Any:
        """Do it; returns what it gives."""


class Outbox:
    """Does operations in the order in which they come; from the first that finds nobody on, they wait in the spool.

    Args:
        perform: does one operation.
        spool: where they wait; None where there is nobody to wait for, as with a file.
        address: of the database or server, for messages.
        say: prints a line.
    """

    def __init__(self, perform: Perform, spool: Spool | None, address: str, say: Say) -> None:
        self.perform, self.spool, self.say = perform, spool, say
        self.place = without_password(address)
        self._lock = threading.RLock()
        self._told = False
        self._done = 0
        self._next_try = 0.0

    def send(self, operation: Operation) -> Any:
        """Do an operation, or keep it until it can be done; returns what it gives, None where it waits.

        Raises:
            MlflowException, OSError: it was refused, or could be neither done nor kept.
        """
        if self.spool is None:
            return self.perform(operation, again=False)
        with self._lock, self.spool.held():
            if not self.spool:
                begun = time.monotonic()
                try:
                    return self.perform(operation, again=False)
                except Exception as error:
                    # A server that fails is asked once more, from the spool; what it fails at again is kept as refused.
                    if not is_away(error) and not is_fault(error):
                        raise
                    self.wait(error, begun)
                    self.spool.append(operation)
                    return None
            self.spool.append(operation)
            if time.monotonic() >= self._next_try:
                self.drain(DRAIN_S)
            return None

    @property
    def is_waiting(self) -> bool:
        """Whether writes wait for an address that does not answer."""
        return self._told

    def deliver(self) -> None:
        """Try now to deliver what waits."""
        if self.spool is not None and self.spool:
            with self._lock, self.spool.held():
                self.drain()

    def drain(self, limit_s: float = math.inf) -> None:
        """Do what waits, oldest first, until all is done, nobody answers or the time is over."""
        assert self.spool is not None, "only a spool is drained"
        end = time.monotonic() + limit_s
        for operation, position in self.spool.operations():
            begun = time.monotonic()
            if begun > end:
                return
            try:
                self.perform(operation, again=True)
                self._done += 1
            except Exception as error:
                if is_away(error):
                    self.wait(error, begun)
                    return
                path = self.spool.refuse(operation, str(error).strip().splitlines()[0])
                self.say(
                    f"{self.place} does not accept what was recorded while it was away: {error}; it is kept in {path}"
                )
            self.spool.count(position)
        self.spool.clear()
        if self._done:
            self.say(f"{self.place} answers: {self._done} writes that waited for it are delivered")
        self._told, self._done = False, 0

    def wait(self, error: Exception, begun: float) -> None:
        """Put the next try off after one that began at `begun`, and say once that writes wait."""
        now = time.monotonic()
        self._next_try = now + max(RETRY_S, RETRY_FACTOR * (now - begun))
        assert self.spool is not None, "a file is not waited for"
        if not self._told:
            self._told = True
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            self.say(
                f"{self.place} does not answer: what is recorded waits in {self.spool.folder} and is delivered when it is back, "
                f"or by the next command ({reason})"
            )
