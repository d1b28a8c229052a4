"""What the data path hands from hand to hand: a decoded video, and a file that was left out."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model.data.cache import Stored


@dataclass(frozen=True)
class Video:
    """The decoded frames of one file, or of one camera move over a demo photograph."""

    name: str  # path relative to the root, "/" between the parts
    source: str  # what the split treats as one
    sha256: str  # of the file's contents
    key: str  # of the cache entry: contents, decode settings and decoder
    stored: Stored

    @property
    def frames(self) -> NDArray[np.uint8]:
        """T H W 3, RGB, mapped from the cache until it is let go of."""
        return self.stored.frames

    @cached_property
    def shape(self) -> tuple[int, int, int]:
        """Frames, height and width."""
        frames, height, width, _ = self.frames.shape
        return frames, height, width

    @property
    def short_side_px(self) -> int:
        """The smaller of height and width."""
        return min(self.shape[1:])


@dataclass(frozen=True)
class Skipped:
    """A file that is not used, and the rule that it broke."""

    name: str
    rule: str
    unreadable: bool = False  # missing or not decodable; too many of these stop the command
