"""The pictures that a run has logged on this machine, in a form that a page can hold."""

import base64
from dataclasses import dataclass
from pathlib import Path

from tracking.pictures import FOLDER, SMALL, names_by_step, spread

#: Pictures of a series that a page shows at most: the first, the last, and some between.
MOST_STEPS = 4


@dataclass(frozen=True)
class Picture:
    """An image of one step as the address that an <img> takes."""

    step: int
    source: str


def pictures_of(folder: Path, key: str) -> list[Picture]:
    """The small copies of some pictures of a series, by step.

    Args:
        folder: of the run's artifacts.
        key: name of the series.
    """
    names = names_by_step((path.name for path in (folder / FOLDER).glob(f"*{SMALL}")), key, SMALL)
    return [Picture(step, data_uri(folder / FOLDER / names[step])) for step in spread(names, MOST_STEPS)]


def data_uri(path: Path) -> str:
    """A WebP file as an address that holds it."""
    return f"data:image/webp;base64,{base64.b64encode(path.read_bytes()).decode()}"
