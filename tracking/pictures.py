"""Pictures of a step as files that MLflow's image grid shows."""

import uuid
from pathlib import Path

import numpy as np
from PIL import Image

#: Longest side of the copy that the grid draws.
SMALL_PX = 256
FOLDER = "images"


def picture_name(key: str, step: int, time_ms: int) -> str:
    """The name, without its ending, by which MLflow's grid knows series, step and time; the last part makes it unique."""
    return f"{key.replace('/', '~')}+step+{step}+timestamp+{time_ms}+{uuid.uuid4()}"


def write_picture(folder: Path, name: str, pixels: np.ndarray) -> list[str]:
    """Write an image and the small copy that the grid draws; returns their names.

    Args:
        folder: of the run's artifacts.
        name: from `picture_name`.
        pixels: uint8, HWC, RGB.
    """
    image = Image.fromarray(pixels)
    small = image.copy()
    small.thumbnail((SMALL_PX, SMALL_PX))
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    files = {f"{FOLDER}/{name}.png": image, f"{FOLDER}/{name}+compressed.webp": small}
    for path, content in files.items():
        content.save(folder / path)
    return list(files)
