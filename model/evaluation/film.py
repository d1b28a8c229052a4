"""Reconstructions as a short film: flicker is a fault that no still picture shows."""

from pathlib import Path

import av
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.data.pixels import to_bytes, to_unit

#: Slower than the clips were taken: nine frames are over in a third of a second.
FRAMES_PER_SECOND = 8
#: How often each clip is played before the next.
REPEATS = 2
#: Small crops are enlarged by a whole factor to at least this side.
SMALLEST_SIDE_PX = 192
GAP_PX = 4
#: The first of these that FFmpeg was built with; browsers play H.264, and MPEG-4, which is in every FFmpeg, only players do.
ENCODERS = ("libx264", "libopenh264", "mpeg4")


def write_film(path: Path, targets: Tensor, outputs: Tensor) -> None:
    """Write clips one after the other as an MP4, the input on the left and the reconstruction on the right.

    Args:
        path: of the file, ending in .mp4; it appears under this name when it is complete.
        targets: uint8 NTCHW, at least one clip.
        outputs: float NTCHW, raw or clamped, on any device.

    Raises:
        OSError: the file cannot be written.
    """
    frames = film_frames(targets, outputs)
    height, width = frames.shape[1:3]
    draft = path.with_name(f".{path.name}")
    try:
        with av.open(draft, "w", format="mp4") as container:
            encoder = next(name for name in ENCODERS if name in av.codecs_available)
            stream = container.add_stream(encoder, rate=FRAMES_PER_SECOND)
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            if encoder == "libx264":
                stream.options = {
                    "crf": "16",
                    "preset": "veryfast",
                }  # a finer one takes longer and hides no flicker less
            for frame in frames:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
            container.mux(stream.encode())
        draft.replace(path)
    except OSError as error:
        raise OSError(
            f"a film must be written, but {path} cannot be ({error.strerror}); free or choose its place"
        ) from error
    finally:
        draft.unlink(missing_ok=True)


def film_frames(targets: Tensor, outputs: Tensor) -> NDArray[np.uint8]:
    """The film's frames: uint8 [frames, height, width, 3] of even sides, as H.264 wants them."""
    assert targets.shape == outputs.shape, (targets.shape, outputs.shape)
    inputs, outputs = to_unit(targets.cpu()), outputs.detach().cpu().float().clamp(0, 1)
    factor = -(-SMALLEST_SIDE_PX // min(targets.shape[-2:]))
    sides = [video.repeat_interleave(factor, dim=-2).repeat_interleave(factor, dim=-1) for video in (inputs, outputs)]
    gap = torch.ones(*sides[0].shape[:-1], GAP_PX)
    film = torch.cat([sides[0], gap, sides[1]], dim=-1).repeat(1, REPEATS, 1, 1, 1).flatten(0, 1)  # [frames, C, H, W]
    even = torch.nn.functional.pad(film, (0, film.shape[-1] % 2, 0, film.shape[-2] % 2), value=1.0)
    pixels: NDArray[np.uint8] = to_bytes(even.permute(0, 2, 3, 1)).contiguous().numpy()
    return pixels
