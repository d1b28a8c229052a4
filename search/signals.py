"""Ctrl-C and termination as a request: the first lets the record be closed, the second stops at once."""

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class StopRequest:
    """True once the person (SIGINT) or the system (SIGTERM) has asked to stop."""

    def __init__(self) -> None:
        self.signal_name = ""

    def __bool__(self) -> bool:
        return bool(self.signal_name)

    @property
    def cause(self) -> str:
        """Why trials are given up that a coordinator leaves in mid-way: the signal, or else an error of its own."""
        return self.signal_name or "an error of the coordinator"


@contextlib.contextmanager
def stop_on_signal() -> Iterator[StopRequest]:
    """Turn the first SIGINT or SIGTERM within the block into a request; the second one raises KeyboardInterrupt."""
    request = StopRequest()

    def handle(number: int, _frame: FrameType | None) -> None:
        if request:
            raise KeyboardInterrupt("stopped at once by a second signal; the next start closes what is left open")
        request.signal_name = signal.Signals(number).name

    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield request
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def sigterm_as_interrupt() -> Iterator[None]:
    """Have SIGTERM within the block end the work as Ctrl-C does, so that what is open is closed; it is no request here."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt("stopped by SIGTERM; give the same command again")

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
