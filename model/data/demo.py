"""Videos without videos: camera moves over the photographs that the scikit-image wheel carries. Nothing is downloaded."""

import hashlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from model.data.cache import entry_key, recall
from model.data.camera import CAMERA, Move, draw_move, film
from model.data.decode import Decoded
from model.data.parallel import in_parallel, worker_count
from model.data.settings import DataSettings
from model.data.video import Skipped, Video

#: Photographs of things. The wheel's textures, pages, drawings and test charts are left out: a network that has seen little
#: but textures for its few steps knows nothing about edges and colours.
PHOTOGRAPHS = (
    "astronaut.png",
    "camera.png",
    "chelsea.png",
    "coffee.png",
    "coins.png",
    "hubble_deep_field.jpg",
    "ihc.png",
    "motorcycle_left.png",
    "motorcycle_right.png",
    "retina.jpg",
    "rocket.jpg",
)

#: The left view of the stereo pair (Middlebury 2014, "Motorcycle") comes with the disparity of each of its pixels.
STEREO_VIEW, DISPARITIES = "motorcycle_left.png", "motorcycle_disp.npz"

MOVES_PER_PHOTOGRAPH = 5

#: A clip of 9 frames at stride 5 spans 41 of them and can begin at 25 places; more frames would only cost time and space.
DEMO_FRAMES = 65


@dataclass(frozen=True)
class Shot:
    """One camera move over one photograph."""

    file: Path
    number: int

    @property
    def source(self) -> str:
        """The photograph; both views of the stereo pair are one."""
        # The split hashes this whole name, prefix included: another prefix would send photographs to other sides.
        return f"scikit-image:{self.file.stem.removesuffix('_left').removesuffix('_right')}"

    @property
    def name(self) -> str:
        """Photograph and number of the move."""
        return f"scikit-image/{self.file.stem}/move{self.number}"


def make_demo(settings: DataSettings, log: Callable[[str], None]) -> tuple[tuple[Video, ...], tuple[Skipped, ...]]:
    """Render all demo videos, or read them from the cache; none is ever skipped.

    Raises:
        RuntimeError: the installed scikit-image lacks a photograph.
        OSError: the cache cannot be written.
    """
    folder = photograph_folder()
    shots = [Shot(folder / name, number) for name in PHOTOGRAPHS for number in range(MOVES_PER_PHOTOGRAPH)]
    log(f"data: {len(shots)} camera moves over {len(PHOTOGRAPHS)} photographs of scikit-image")
    return tuple(in_parallel(partial(_video, settings=settings), shots, worker_count(settings))), ()


def photograph_folder() -> Path:
    """Find the pictures without importing scikit-image, whose own loader may go to the network for others."""
    found = importlib.util.find_spec("skimage")
    folder = Path(found.origin).parent / "data" if found and found.origin else None
    missing = [name for name in (*PHOTOGRAPHS, DISPARITIES) if folder is None or not (folder / name).is_file()]
    if folder is None or missing:
        raise RuntimeError(
            f"data.source = 'demo' needs the photographs of the scikit-image wheel, but {', '.join(missing[:5])} "
            "cannot be found; install scikit-image 0.26.0, or give a folder of videos as data.source"
        )
    return folder


def _video(shot: Shot, settings: DataSettings) -> Video:
    contents = shot.file.read_bytes()
    if shot.file.name == STEREO_VIEW:
        contents += shot.file.with_name(DISPARITIES).read_bytes()
    frames = min(DEMO_FRAMES, settings.max_video_frames)
    # The move is part of the contents: moves over one photograph are different videos, not copies.
    sha256 = hashlib.sha256(contents + f"{CAMERA}, move {shot.number}".encode()).hexdigest()
    key = entry_key(sha256, settings.short_side_px, frames)
    stored = recall(Path(settings.cache_dir) / "videos", key, lambda: _render(shot, settings.short_side_px, frames))
    return Video(shot.name, shot.source, sha256, key, stored)


def _render(shot: Shot, short_side_px: int, frames: int) -> Decoded:
    """Film one photograph; frames are uint8 T H W 3."""
    photograph = read_photograph(shot.file)
    disparities = read_disparities(shot.file.with_name(DISPARITIES)) if shot.file.name == STEREO_VIEW else None
    move: Move = draw_move(
        np.random.default_rng([shot.number, *shot.source.encode()]), with_parallax=disparities is not None
    )
    return Decoded(film(photograph, disparities, move, short_side_px, frames).numpy())


def read_photograph(path: Path) -> Tensor:
    """Read a picture as uint8 3 H W; grey becomes three equal channels."""
    with Image.open(path) as picture:
        return torch.from_numpy(np.array(picture.convert("RGB"))).permute(2, 0, 1)


def read_disparities(path: Path) -> Tensor:
    """Read how many pixels to the left each pixel of the left view lies in the right view: float32 H W.

    Where the scanner saw nothing (shadows and gaps, marked as infinite) the value to the left is taken, as far away as the
    background usually is there.
    """
    with np.load(path, allow_pickle=False) as arrays:
        disparities = np.array(arrays["arr_0"], dtype=np.float32)
    known = np.isfinite(disparities)
    columns = np.where(known, np.arange(disparities.shape[1]), 0)
    filled = np.take_along_axis(disparities, np.maximum.accumulate(columns, axis=1), axis=1)
    return torch.from_numpy(np.where(np.isfinite(filled), filled, disparities[known].min()))
