"""What the data path hands from hand to hand: a decoded video, and a file that was left out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Video:
    """The decoded frames of one file, or of one camera move over a demo photograph."""

    name: str  # path relative to the root, "/" between the parts
    source: str  # what the split treats as one
    sha256: str  # of the file's contents
    key: str  # of the cache entry: contents, decode settings and decoder
    frames: NDArray[np.uint8]  # T H W 3, RGB, mapped from the cache
    damage: str = ""  # why the frames end before the file does; "" when they do not

    @property
    def short_side_px(self) -> int:
        """The smaller of height and width."""
        return min(self.frames.shape[1:3])


@dataclass(frozen=True)
class Skipped:
    """A file that is not used, and the rule that it broke."""

    name: str
    rule: str
    unreadable: bool = False  # missing or not decodable; too many of these stop the command
