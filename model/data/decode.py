"""A file becomes uint8 RGB frames.

The rules, for the odd files that people have:

- The contents decide, not the name: whatever PyAV opens and finds a video stream in is a video. Cover pictures lose to a stream.
- Only frames count. Duration, frame rate, frame count and time stamps are not read, so wrong ones do no harm, and a variable
  frame rate is taken frame by frame.
- Frames are turned by the quarter turns that the file asks for, then taken with square pixels (no sample aspect ratio).
- Colour is converted by the matrix and range that the file names (BT.601, limited, where it names none). Grey becomes three
  equal channels, alpha is dropped, HDR is not tone-mapped.
- What cannot be decoded before the first frame is passed over, as players do. After it, the first error or change of size ends
  the video.
- Frames are scaled down to the short side by area averaging, never up.
"""

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter
from numpy.typing import NDArray

#: In the key of every cached video; the number counts changes of the rules above.
DECODER = f"av {av.__version__}, rules 1"

#: Bit-exact, so that two processors decode to the same bytes.
_FLAGS = Interpolation.AREA | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT | Interpolation.BITEXACT


#: Titles and tags in no known encoding must not make a video unreadable. PyAV 19 takes them as they are and has no such option.
_OPTIONS = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}


@dataclass(frozen=True)
class Decoded:
    """Frames (uint8 T H W 3), and why they end before the file does ("" when they do not)."""

    frames: NDArray[np.uint8]
    damage: str = ""


class UnreadableError(ValueError):
    """A file that holds no frame that can be decoded; the text says why."""


def decode(path: Path, short_side_px: int, max_frames: int) -> Decoded:
    """Decode the first `max_frames` frames of a file.

    Raises:
        UnreadableError: the file cannot be opened, has no video stream, or no frame that can be decoded.
    """
    frames: list[NDArray[np.uint8]] = []
    try:
        # Given the open file and no protocol, a playlist can name other files or addresses but never reach them.
        with (
            path.open("rb") as file,
            av.open(file, options={"protocol_whitelist": "none"}, **_OPTIONS) as container,
        ):
            stream = container.streams.best("video")
            if stream is None:
                raise UnreadableError("it has no video stream")
            if container.format.name == "tty":
                raise UnreadableError("it is text")
            damage = _read_frames(container, stream, short_side_px, max_frames, frames)
    except (av.FFmpegError, OSError) as error:
        if not frames:
            raise UnreadableError(f"it cannot be decoded ({error.strerror or error})") from error
        damage = f"after frame {len(frames)}: {error.strerror or error}"
    if not frames:
        raise UnreadableError(f"no frame can be decoded ({damage or 'the stream is empty'})")
    return Decoded(np.stack(frames), damage)


def _read_frames(
    container: "av.container.InputContainer",
    stream: "av.VideoStream",
    short_side_px: int,
    max_frames: int,
    frames: list[NDArray[np.uint8]],
) -> str:
    """Append scaled and turned frames (uint8 H W 3) and say why they stop early; those read before an exception are there."""
    scaler = VideoReformatter()  # one for the whole video: swscale keeps megabytes for each
    damage = ""
    size = scaled = (0, 0)
    quarter_turns = 0
    for packet in container.demux(stream):
        try:
            decoded = packet.decode()
        except av.FFmpegError as error:
            damage = f"after frame {len(frames)}: {error.strerror}"
            if frames:
                break
            continue
        for frame in decoded:
            if not frames:
                size, damage = (frame.width, frame.height), ""
                scaled, quarter_turns = scaled_size(*size, short_side_px), round(frame.rotation / 90)
            if (frame.width, frame.height) != size:
                return f"after frame {len(frames)}: the size changes from {size} to {frame.width, frame.height}"
            pixels = scaler.reformat(frame, *scaled, format="rgb24", interpolation=_FLAGS, threads=1).to_ndarray()
            frames.append(np.rot90(pixels, quarter_turns))
            if len(frames) == max_frames:
                return ""
    return damage


def scaled_size(width: int, height: int, short_side_px: int) -> tuple[int, int]:
    """Size with the given short side and the same aspect ratio; the size itself where it is not larger."""
    short = min(width, height)
    if short <= short_side_px:
        return width, height
    return round(width * short_side_px / short), round(height * short_side_px / short)
