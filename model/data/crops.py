"""Clips cut from videos: square crops of all sizes from `crop_px` up to the whole short side, scaled down to `crop_px`.

A cut is drawn from a generator that is seeded by the contents of its video and a counter (and `data.seed` in training), never by
its place in a list: adding videos changes which cuts are taken, not what any of them looks like.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from model.data.parallel import in_parallel
from model.data.settings import DataSettings
from model.data.video import Video

#: In the digest of the clips; the number counts changes of how cuts are drawn and scaled.
CUTTING = "cuts 1"


@dataclass(frozen=True)
class Cut:
    """Where one clip lies in its video."""

    video: Video
    number: int  # counts the cuts of one video
    first_frame: int
    stride: int
    top: int
    left: int
    side_px: int
    flipped: bool

    @property
    def name(self) -> str:
        """File, number, frames and place; unique among the cuts of one side."""
        return (
            f"{self.video.name} #{self.number}: frame {self.first_frame} step {self.stride}, "
            f"{self.side_px} px at x {self.left} y {self.top}{', mirrored' if self.flipped else ''}"
        )


def training_cuts(videos: Sequence[Video], settings: DataSettings, generation: int = 0) -> list[Cut]:
    """Draw `data.training_clips` cuts with strides and flips; a later generation goes on where the one before it ended."""
    purpose = f"training:{settings.seed}:{generation}" if generation else f"training:{settings.seed}"
    return [
        _draw(video, number, settings, purpose, settings.max_frame_stride, settings.flip)
        for video, number in _visits(videos, settings.training_clips, generation * settings.training_clips)
    ]


def validation_cuts(videos: Sequence[Video], settings: DataSettings) -> list[Cut]:
    """Draw `data.validation_clips` cuts: every frame, never mirrored, the same for every seed."""
    return [
        _draw(video, number, settings, "validation", max_stride=1, flip=False)
        for video, number in _visits(videos, settings.validation_clips)
    ]


def _visits(videos: Sequence[Video], count: int, first: int = 0) -> list[tuple[Video, int]]:
    """Return (video, how often it was visited before) `count` times: sources in turn, and the videos of each in turn."""
    by_source: dict[str, list[Video]] = {}
    for video in sorted(videos, key=lambda video: (video.source, video.sha256)):
        by_source.setdefault(video.source, []).append(video)
    sources = list(by_source.values())
    visits = []
    for visit in range(first, first + count):
        turn, source = divmod(visit, len(sources))
        number, index = divmod(turn, len(sources[source]))
        visits.append((sources[source][index], number))
    return visits


def _draw(video: Video, number: int, settings: DataSettings, purpose: str, max_stride: int, flip: bool) -> Cut:
    seed = hashlib.sha256(f"{purpose}:{video.sha256}:{number}".encode()).digest()
    generator = np.random.default_rng(int.from_bytes(seed[:16], "big"))
    length, height, width = video.shape
    longest_stride = min(max_stride, (length - 1) // (settings.frames - 1))
    stride = int(generator.integers(1, longest_stride, endpoint=True))
    first_frame = int(generator.integers(0, length - (settings.frames - 1) * stride))
    side_px = int(generator.integers(settings.crop_px, min(height, width), endpoint=True))
    top = int(generator.integers(0, height - side_px, endpoint=True))
    left = int(generator.integers(0, width - side_px, endpoint=True))
    flipped = bool(generator.integers(2)) and flip
    return Cut(video, number, first_frame, stride, top, left, side_px, flipped)


def cut_clips(cuts: Sequence[Cut], settings: DataSettings, workers: int) -> Tensor:
    """Cut and scale clips.

    Returns:
        uint8 N T 3 crop_px crop_px, in the order of `cuts`; the same bytes for every number of workers.
    """
    clips = torch.empty(len(cuts), settings.frames, 3, settings.crop_px, settings.crop_px, dtype=torch.uint8)
    # Each straight to its place: clips that were ready before an earlier one would be held twice.
    for _ in in_parallel(lambda pair: _cut(*pair), zip(cuts, clips, strict=True), workers):
        pass
    return clips


def cut_alone(cuts: Sequence[Cut], settings: DataSettings) -> Tensor:
    """Cut and scale clips one after the other: the bytes of `cut_clips`, and torch's threads stay as others have set them."""
    clips = torch.empty(len(cuts), settings.frames, 3, settings.crop_px, settings.crop_px, dtype=torch.uint8)
    for cut, place in zip(cuts, clips, strict=True):
        _cut(cut, place)
    return clips


def _cut(cut: Cut, place: Tensor) -> None:
    """Cut one clip into its place, uint8 T 3 crop_px crop_px, scaled by an antialiased bilinear filter."""
    frames, _, crop_px, _ = place.shape
    times = slice(cut.first_frame, cut.first_frame + (frames - 1) * cut.stride + 1, cut.stride)
    rows, columns = slice(cut.top, cut.top + cut.side_px), slice(cut.left, cut.left + cut.side_px)
    pixels = torch.from_numpy(np.array(cut.video.frames[times, rows, columns])).permute(0, 3, 1, 2)
    if cut.side_px != crop_px:
        pixels = F.interpolate(pixels, (crop_px, crop_px), mode="bilinear", antialias=True, align_corners=False)
    place.copy_(pixels.flip(3) if cut.flipped else pixels)
