"""The frames of the record's strips, cut out, side by side and small enough for one page."""

import base64
import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from model.evaluation.strips import GAP_PX, SMALLEST_SIDE_PX

Pixels = NDArray[np.uint8]

#: Pictures of a column at most: a slider with more stops shows no more.
MOST_STEPS = 8
#: Cells are drawn at most so large: 50 pictures must leave room below 8 MB for plotly.js, which takes 4.6.
LARGEST_CELL_PX = 96
#: Clips of the grid at most; each shows its first, middle and last frame.
MOST_CLIPS = 3
#: WebP's qualities that are tried: at 80 no blocks are seen, at 10 even 64 px cells of pure noise fit.
QUALITIES = (80, 50, 25, 10)
#: Characters that all pictures together may take, so that the page stays below 8 MB.
MOST_CHARACTERS = 2_400_000


def cut(strip: Pixels, crop_px: int) -> tuple[Pixels, Pixels, Pixels]:
    """Cut a strip into the columns input, reconstruction and difference of its frames, one below the other.

    Args:
        strip: uint8 HWC from model.evaluation.strips.
        crop_px: side of the clips' frames.

    Raises:
        ValueError: the strip is no picture of such clips.
    """
    factor = -(-SMALLEST_SIDE_PX // crop_px)
    side = crop_px * factor
    rows, columns = (
        (length + GAP_PX) // (size + GAP_PX) for length, size in zip(strip.shape, (side, 3 * side), strict=False)
    )
    if strip.shape[:2] != (rows * (side + GAP_PX) - GAP_PX, columns * (3 * side + GAP_PX) - GAP_PX) or not rows:
        raise ValueError(
            f"a strip must be made of frames of {side} px, but has {strip.shape[1]}x{strip.shape[0]} px; "
            "give the settings that the study was begun with"
        )
    step = max(factor, -(-side // LARGEST_CELL_PX))
    cells: list[list[Pixels]] = [[], [], []]
    for row in range(min(rows, MOST_CLIPS)):
        for column in range(columns):
            top, left = row * (side + GAP_PX), column * (3 * side + GAP_PX)
            for place in range(3):
                start = left + place * side
                cells[place].append(strip[top : top + side : step, start : start + side : step])
    inputs, outputs, differences = (np.concatenate(each) for each in cells)
    return inputs, outputs, differences


def read(path: Path) -> Pixels:
    """Read an image file as uint8 HWC, RGB."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def data_uri(pixels: Pixels, quality: int = QUALITIES[0]) -> str:
    """The picture as an address that holds it."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(buffer, "WEBP", quality=quality, method=4)
    return f"data:image/webp;base64,{base64.b64encode(buffer.getvalue()).decode()}"
