"""One coordinator per record at a time, on this host; search/lease.py is for all of them."""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from search.duration import show_duration
from search.holder import Holder


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
            age_s = time.time() - os.fstat(file.fileno()).st_mtime
            raise RuntimeError(
                f"a record has one coordinator at a time, but {root} is held by {file.read().strip()}, "
                f"for {show_duration(age_s)}; "
                "wait for it, stop it, or use another record with --set tracking.root=DIR"
            ) from error
        file.truncate(0)
        file.write(Holder.here().name)
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
