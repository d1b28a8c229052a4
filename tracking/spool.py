"""Operations that wait on disk for a database or server that does not answer."""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from tracking.operations import Operation, from_line, to_line

WAITING, DELIVERED, REFUSED = "waiting.jsonl", "delivered", "refused.jsonl"


class Spool:
    """A folder with the operations that wait, one a line, and how many bytes of them were delivered.

    An operation is on disk when `append` returns. Of two that a kill cuts off, a half line was never accepted and goes; one
    that was delivered but not yet counted is delivered again, which changes nothing.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.waiting, self.delivered = folder / WAITING, folder / DELIVERED

    def __bool__(self) -> bool:
        return self.waiting.exists()

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes of this machine out: what they write stands before or after, and is delivered once."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def append(self, operation: Operation) -> None:
        """Add an operation at the end. Hold the spool.

        Raises:
            OSError: the disk is full or cannot be written; what was there before stays whole.
        """
        with self.waiting.open("ab") as file:
            end = self.whole_bytes()
            if file.tell() > end:
                file.truncate(end)
            try:
                file.write(to_line(operation))
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):  # the next command cuts the half line off where this one cannot
                    os.ftruncate(file.fileno(), end)
                raise

    def whole_bytes(self) -> int:
        """Length of the whole lines; what a kill cut off in mid-write comes after them."""
        with self.waiting.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0 or os.pread(file.fileno(), 1, size - 1) == b"\n":
                return size
            return os.pread(file.fileno(), size, 0).rfind(b"\n") + 1

    def operations(self) -> Iterator[tuple[Operation, int]]:
        """What was not delivered yet, oldest first, each with the position behind it."""
        if not self:
            return
        position = int(self.delivered.read_text()) if self.delivered.exists() else 0
        for line in self.waiting.read_bytes()[position : self.whole_bytes()].splitlines(keepends=True):
            position += len(line)
            yield from_line(line), position

    def count(self, position: int) -> None:
        """Remember that everything before a position was delivered."""
        draft = self.delivered.with_suffix(".draft")
        with draft.open("w") as file:
            file.write(str(position))
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the new name with nothing in it
        draft.replace(self.delivered)

    def clear(self) -> None:
        """Remove what was delivered, all of it."""
        # In this order a kill between the two leads to a second delivery, in the other one to a loss.
        self.delivered.unlink(missing_ok=True)
        self.waiting.unlink(missing_ok=True)

    def refuse(self, operation: Operation, reason: str) -> Path:
        """Keep an operation that the server does not accept, and why, beside the others; returns the file."""
        path = self.folder / REFUSED
        with path.open("ab") as file:
            file.write(json.dumps({"reason": reason}, ensure_ascii=False).encode()[:-1] + b"," + to_line(operation)[1:])
            file.flush()
            os.fsync(file.fileno())
        return path
