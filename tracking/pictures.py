"""Pictures of a step as files that MLflow's image grid shows."""

import uuid
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image

#: Longest side of the copy that the grid and a run's page draw.
SMALL_PX = 900
#: zlib's fastest level: PNG files a tenth larger than at its own 6, in less than a third of the time (docs/LOG.md, 2026-11-30).
PNG_LEVEL = 1
#: WebP's fastest method, in a quarter of the time of its own 4 for files a quarter larger.
WEBP_METHOD = 0
FOLDER = "images"
#: How the names of an image and of its copy end.
LARGE, SMALL = ".png", "+compressed.webp"


def picture_name(key: str, step: int, time_ms: int) -> str:
    """The name, without its ending, by which MLflow's grid knows series, step and time; the last part makes it unique."""
    return f"{beginning_of(key)}{step}+timestamp+{time_ms}+{uuid.uuid4()}"


def beginning_of(key: str) -> str:
    """How the names of a series begin."""
    return f"{key.replace('/', '~')}+step+"


def names_by_step(names: Iterable[str], key: str, ending: str) -> dict[int, str]:
    """The names of one series by step; of a step that was drawn twice, the newer.

    Args:
        names: of any files.
        key: name of the series.
        ending: `LARGE` or `SMALL`.
    """
    newest: dict[int, tuple[int, str]] = {}
    for name in names:
        if name.startswith(beginning_of(key)) and name.endswith(ending):
            step, _, time_ms, *_ = name.removeprefix(beginning_of(key)).split("+")
            newest[int(step)] = max(newest.get(int(step), (0, "")), (int(time_ms), name))
    return {step: name for step, (_, name) in sorted(newest.items())}


def spread(steps: Iterable[int], most: int) -> list[int]:
    """At most so many of the steps, evenly chosen, the first and the last among them."""
    ordered = sorted(steps)
    if len(ordered) <= most:
        return ordered
    return [ordered[round(index * (len(ordered) - 1) / (most - 1))] for index in range(most)]


def write_picture(folder: Path, name: str, pixels: np.ndarray) -> list[str]:
    """Write an image and its small copy; returns their names.

    Args:
        folder: of the run's artifacts.
        name: from `picture_name`.
        pixels: uint8, HWC, RGB.
    """
    image = Image.fromarray(pixels)
    small = image.copy()
    small.thumbnail((SMALL_PX, SMALL_PX), Image.Resampling.BILINEAR)
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    files = [f"{FOLDER}/{name}{LARGE}", f"{FOLDER}/{name}{SMALL}"]
    image.save(folder / files[0], compress_level=PNG_LEVEL)
    small.save(folder / files[1], method=WEBP_METHOD)
    return files
