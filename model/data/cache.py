"""Decoded frames at rest: one .npy per video, made once, read as memory maps by every process that wants it."""

import hashlib
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.data.decode import Decoded


@dataclass(frozen=True)
class Stored:
    """Frames in the cache, and why they end before the file does ("" when they do not)."""

    path: Path
    damage: str

    @property
    def frames(self) -> NDArray[np.uint8]:
        """T H W 3, mapped read-only from the disk.

        Mapped anew each time: a mapping takes a file descriptor, of which a process often has but 1024, and what was read
        of it counts as the process's memory. So let go of it soon.
        """
        frames: NDArray[np.uint8] = np.load(self.path, mmap_mode="r", allow_pickle=False)
        return frames


def entry_key(*parts: object) -> str:
    """32 hex digits that change when any of the parts does."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:32]


def recall(folder: Path, key: str, make: Callable[[], Decoded]) -> Stored:
    """Return the frames stored under a key, making and storing them where they are missing.

    Safe with several processes at once: each writes under a name of its own and renames, and all write the same bytes. What a
    crash leaves behind ends in .tmp and is never read.

    Args:
        folder: created when missing.
        key: from `entry_key`, of everything that the frames depend on.
        make: decodes or renders the frames; its exceptions pass through.

    Returns:
        Where the frames are stored.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.
    """
    frames_path, damage_path = folder / f"{key}.npy", folder / f"{key}.damage.txt"
    if not frames_path.exists():
        made = make()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if made.damage:  # first, because the frames are what says that the entry is complete
                _write(damage_path, lambda path: path.write_text(made.damage, encoding="utf-8"))
            _write(frames_path, lambda path: _save(path, made.frames))
        except OSError as error:
            reason = error.strerror or error
            raise OSError(
                f"the cache must be writable, but '{folder}': {reason}; make room, or set data.cache_dir"
            ) from error
    damage = damage_path.read_text(encoding="utf-8") if damage_path.exists() else ""
    return Stored(frames_path, damage)


def _save(path: Path, frames: NDArray[np.uint8]) -> None:
    with path.open("wb") as file:
        np.save(file, frames, allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())  # else a power cut may leave the final name on an empty file


def _write(path: Path, write: Callable[[Path], object]) -> None:
    """Write under a temporary name that no other process has, then rename."""
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        write(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
