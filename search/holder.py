"""Who holds something: a process of a person on a host, and whether it still lives."""

import getpass
import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")


@dataclass(frozen=True)
class Holder:
    """A process that can be told from any other.

    Attributes:
        name: for people, "anna@node7, process 4711".
        place: of the processes that this one can see: a boot of a machine and a namespace in it (containers of one host may
            share its name but not their process numbers).
        pid: its number there.
        started: when it started, in ticks of that boot: numbers are given again, together with the time they are not.
    """

    name: str
    place: str
    pid: int
    started: int

    @classmethod
    def here(cls) -> Self:
        """This process."""
        pid = os.getpid()
        return cls(f"{user()}@{socket.gethostname()}, process {pid}", place(), pid, started(pid) or 0)

    def to_text(self) -> str:
        """All of it in one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """The holder that a text was made of."""
        return cls(**json.loads(text))

    def lives(self) -> bool | None:
        """Whether the process runs; None where that cannot be seen from here."""
        if self.place != place():
            return None
        now = started(self.pid)
        return None if now is None and is_hidden(self.pid) else now == self.started


def user() -> str:
    """The person's name, or number where the system knows no name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that nobody has
        return str(os.getuid())


def place() -> str:
    """Name this boot and this namespace of processes."""
    boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
    return f"{boot} {(PROC / 'self/ns/pid').readlink()}"


def is_hidden(pid: int) -> bool:
    """Whether there is a process of another person whose state the system keeps to itself (/proc with hidepid)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return not (PROC / str(pid)).exists()
    return False


def started(pid: int) -> int | None:
    """When a process started, in ticks since the boot; None for one that has ended."""
    try:
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # Behind the name, which may hold anything: the state first, the 20th is the start (man 5 proc). A zombie has ended.
    return None if fields[0] in "ZX" else int(fields[19])
