"""The pictures that a run has logged, as small copies that a page can hold."""

import base64
import io
import re
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tracking.pictures import FOLDER

#: Pictures of a series that a page shows at most: the first, the last, and some between.
MOST_STEPS = 4
#: Widest copy; JPEG is encoded in a third of WebP's time.
WIDEST_PX = 900
QUALITY = 72

NAME = re.compile(r"(?P<key>.+)\+step\+(?P<step>\d+)\+timestamp\+(?P<time>\d+)\+[^+]+\.png")


@dataclass(frozen=True)
class Picture:
    """An image of one step as the address that an <img> takes."""

    step: int
    source: str


def pictures_of(folder: Path, key: str, rows: int | None = None) -> list[Picture]:
    """Some pictures of a series by step; of a step that was drawn twice the later one.

    Args:
        folder: of the run's artifacts.
        key: name of the series.
        rows: how many clips stand below each other in a picture; the first is shown. None shows all of the picture.
    """
    found = {}
    for path in sorted((folder / FOLDER).glob("*.png"), key=time_of):
        parts = NAME.fullmatch(path.name)
        if parts and parts["key"].replace("~", "/") == key:
            found[int(parts["step"])] = path
    return [Picture(step, small_copy(found[step], rows)) for step in spread(sorted(found), MOST_STEPS)]


def time_of(path: Path) -> int:
    """When a picture was logged, by its name."""
    parts = NAME.fullmatch(path.name)
    return int(parts["time"]) if parts else 0


def spread(steps: list[int], most: int) -> list[int]:
    """At most so many of the steps, evenly, the first and the last among them."""
    if len(steps) <= most:
        return steps
    return [steps[round(index * (len(steps) - 1) / (most - 1))] for index in range(most)]


def small_copy(path: Path, rows: int | None) -> str:
    """A picture's first row, or all of it, as a data URI."""
    with Image.open(path) as image:
        height = image.height if rows is None else image.height // max(rows, 1)
        part = image.crop((0, 0, image.width, height)).convert("RGB")
    part.thumbnail((WIDEST_PX, WIDEST_PX), Image.Resampling.BILINEAR)
    content = io.BytesIO()
    part.save(content, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"
