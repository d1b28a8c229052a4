"""One coordinator per record at a time."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO


@contextlib.contextmanager
def study_lock(root: Path) -> Iterator[None]:
    """Hold the record for one coordinator; the system lets go of it when the process ends, however it ends.

    Raises:
        RuntimeError: another live process holds it, or the place cannot be written.
    """
    with open_lock_file(root) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            raise RuntimeError(
                f"a record has one coordinator at a time, but {root} is held by process {file.read().strip()}; "
                "wait for it, stop it, or use another record with --set tracking.root=DIR"
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def open_lock_file(root: Path) -> IO[str]:
    """Open the lock file, making the record's folder where there is none."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        return (root / "coordinator.lock").open("a+")
    except OSError as error:
        raise RuntimeError(
            f"the record must be writable, but {root}: {error.strerror}; give another place with --set tracking.root=DIR"
        ) from error
