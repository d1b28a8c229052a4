"""A moving camera over a flat photograph, or over one whose depth is known."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

#: Part of the contents of every demo video; the number counts changes of this file that change a pixel.
CAMERA = "camera 1"

#: Photograph pixels per frame pixel when the view is widest: sharp, and hardly any aliasing in a bilinear sample.
_WIDEST_STEP = 1.25

#: Frames are at most this much longer than high (or higher than long), whatever the photograph is.
_MAX_ASPECT = 4 / 3


@dataclass(frozen=True)
class Wave:
    """A smooth motion: middle + swing * sin(2 pi (cycles * t + phase)), t from 0 to 1 over the video."""

    middle: float
    swing: float
    cycles: float
    phase: float

    def at(self, time: float) -> float:
        """Value at a time in [0, 1]."""
        return self.middle + self.swing * math.sin(2 * math.pi * (self.cycles * time + self.phase))


@dataclass(frozen=True)
class Move:
    """Pan, zoom, rotation and sideways travel of the camera over one video."""

    across: Wave  # place of the view between the left (0) and right (1) end of its range
    down: Wave
    view_share: Wave  # short side of the view as a share of the photograph's
    angle: Wave  # radians
    travel: Wave  # 0 at the left view of the stereo pair, 1 at the right; moves near things more than far ones


def draw_move(generator: np.random.Generator, with_parallax: bool) -> Move:
    """Draw a move that stays on the photograph, up to about 5 frame pixels per frame at a 160 pixel short side."""

    def wave(low: float, high: float, least: float) -> Wave:
        """A wave inside [low, high] that swings over at least the share `least` of it."""
        swing = (high - low) / 2 * generator.uniform(least, 1)
        middle = generator.uniform(low + swing, high - swing)
        return Wave(middle, swing, cycles=generator.uniform(0.25, 1.5), phase=generator.uniform(0, 1))

    return Move(
        across=wave(0, 1, least=0.5),
        down=wave(0, 1, least=0.5),
        view_share=wave(0.45, 0.9, least=0),
        angle=wave(-0.25, 0.25, least=0),
        travel=wave(0, 0.8, least=0.7) if with_parallax else Wave(0, 0, 0, 0),
    )


def film(photograph: Tensor, disparities: Tensor | None, move: Move, short_side_px: int, frames: int) -> Tensor:
    """Film a photograph.

    Args:
        photograph: uint8 3 H W.
        disparities: float32 H W, pixels by which a point lies further left when the camera stands at travel 1; None: flat.
        move: the camera's path over the whole video.
        short_side_px: of the frames; the long side follows the photograph, within 4:3.
        frames: how many.

    Returns:
        uint8 T H W 3.
    """
    times = [frame / max(frames - 1, 1) for frame in range(frames)]
    widest = max(move.view_share.at(time) for time in times) * min(photograph.shape[1:])
    scale = min(1.0, _WIDEST_STEP * short_side_px / widest)
    scene = _scaled(photograph.float(), scale)
    # Measured from the middle of their range, so that travel turns the camera around the scene instead of sliding past it.
    depth = None if disparities is None else _scaled((disparities - disparities.median())[None], scale) * scale
    size = _frame_size(scene.shape[1], scene.shape[2], short_side_px)
    return torch.stack([_shoot(scene, depth, move, time, size) for time in times])


def _scaled(image: Tensor, scale: float) -> Tensor:
    size = [round(length * scale) for length in image.shape[1:]]
    return F.interpolate(image[None], size, mode="bilinear", antialias=True, align_corners=False)[0]


def _frame_size(height: int, width: int, short_side_px: int) -> tuple[int, int]:
    aspect = min(max(height, width) / min(height, width), _MAX_ASPECT)
    long_side_px = round(short_side_px * aspect)
    return (short_side_px, long_side_px) if height <= width else (long_side_px, short_side_px)


def _shoot(scene: Tensor, depth: Tensor | None, move: Move, time: float, size: tuple[int, int]) -> Tensor:
    """One frame: uint8 H W 3, sampled bilinearly from float32 3 H W in [0, 255]."""
    height, width = scene.shape[1:]
    angle, travel = move.angle.at(time), move.travel.at(time)
    step = move.view_share.at(time) * min(height, width) / min(size)
    # A turned view needs more room; where the photograph has too little, the view comes nearer.
    reach_y, reach_x = _reach(size, angle)
    slack = 0.0 if depth is None else travel * float(depth.abs().max())
    step = min(step, (width / 2 - slack) / reach_x, height / 2 / reach_y)
    centre_x = width / 2 + (2 * move.across.at(time) - 1) * (width / 2 - slack - step * reach_x)
    centre_y = height / 2 + (2 * move.down.at(time) - 1) * (height / 2 - step * reach_y)
    right = (torch.arange(size[1]) + 0.5 - size[1] / 2) * step
    below = ((torch.arange(size[0]) + 0.5 - size[0] / 2) * step)[:, None]
    x = centre_x + math.cos(angle) * right - math.sin(angle) * below
    y = centre_y + math.sin(angle) * right + math.cos(angle) * below
    if depth is not None:
        x = _follow(x, y, depth, travel)
    return _sample(scene, x, y).clamp(0, 255).round().to(torch.uint8).permute(1, 2, 0)


def _reach(size: tuple[int, int], angle: float) -> tuple[float, float]:
    """Half height and half width of the upright box around a turned view."""
    height, width = size
    cosine, sine = abs(math.cos(angle)), abs(math.sin(angle))
    return (height * cosine + width * sine) / 2, (width * cosine + height * sine) / 2


def _follow(x: Tensor, y: Tensor, depth: Tensor, travel: float) -> Tensor:
    """Find which point of the left view is seen at x: the point p with p - travel * depth(p) = x."""
    point = x
    for _ in range(4):  # fixed-point iteration; depth changes slowly nearly everywhere, and edges may stretch
        point = x + travel * _sample(depth, point, y)[0]
    return point


def _sample(image: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Values of an image (C H W) at places in pixels from its upper left corner; the edge goes on outside."""
    height, width = image.shape[1:]
    grid = torch.stack([2 * x / width - 1, 2 * y / height - 1], dim=-1)
    return F.grid_sample(image[None], grid[None], mode="bilinear", padding_mode="border", align_corners=False)[0]
