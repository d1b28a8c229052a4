"""The clips that a study trains and is scored on."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from model.data.crops import CUTTING, Cut, cut_clips, training_cuts, validation_cuts
from model.data.demo import make_demo
from model.data.files import name_some, read_files
from model.data.parallel import worker_count
from model.data.settings import DataSettings
from model.data.split import split
from model.data.video import Skipped, Video
from model.settings import SettingsError


@dataclass(frozen=True)
class Clips:
    """Crops of both sides of the split, with all that is needed to say where each came from."""

    training: Tensor  # uint8 N T 3 H W
    validation: Tensor  # uint8 M T 3 H W
    training_names: tuple[str, ...]  # one per clip, unique: file, first frame, stride, crop
    validation_names: tuple[str, ...]
    manifest: tuple[dict[str, Any], ...]  # one row per used file: name, source, side, sha256, frames, width, height
    skipped: tuple[Skipped, ...]
    digest: str  # 12 hex of all that the clips depend on; the same set under another path has the same digest


@dataclass(frozen=True)
class ClipPlan:
    """Where every clip will be cut, known before any is: little of it is in memory but the names."""

    training: tuple[Cut, ...]
    validation: tuple[Cut, ...]
    training_videos: tuple[Video, ...]
    manifest: tuple[dict[str, Any], ...]
    skipped: tuple[Skipped, ...]
    digest: str


def load_clips(settings: DataSettings, log: Callable[[str], None]) -> Clips:
    """Find, decode, split and cut the clips that the settings describe.

    Raises:
        SettingsError: a setting, file or folder breaks a rule; the text names it.
        OSError: the cache cannot be written.
    """
    return cut_plan(plan_clips(settings, log), settings)


def plan_clips(settings: DataSettings, log: Callable[[str], None]) -> ClipPlan:
    """Find, decode and split the videos, and draw the cuts.

    Raises:
        SettingsError: a setting, file or folder breaks a rule; the text names it.
        OSError: the cache cannot be written.
    """
    _check(settings)
    videos, skipped = make_demo(settings, log) if settings.source == "demo" else read_files(settings, log)
    training, validation, copies = split(videos, settings.validation_share)
    name_some([f"data: skipped {copy.name}: {copy.rule}" for copy in copies], log)
    plan = ClipPlan(
        training=tuple(training_cuts(training, settings)),
        validation=tuple(validation_cuts(validation, settings)),
        training_videos=tuple(training),
        manifest=(*_rows(training, "training"), *_rows(validation, "validation")),
        skipped=(*skipped, *copies),
        digest=_digest(settings, training, validation),
    )
    log(
        f"data: training {_describe(plan.training, training, settings)}; "
        f"validation {_describe(plan.validation, validation, settings)}; digest {plan.digest}"
    )
    return plan


def cut_plan(plan: ClipPlan, settings: DataSettings) -> Clips:
    """Cut the clips of a plan."""
    return Clips(
        training=cut_clips(plan.training, settings, worker_count(settings)),
        validation=cut_clips(plan.validation, settings, worker_count(settings)),
        training_names=tuple(cut.name for cut in plan.training),
        validation_names=tuple(cut.name for cut in plan.validation),
        manifest=plan.manifest,
        skipped=plan.skipped,
        digest=plan.digest,
    )


def _check(settings: DataSettings) -> None:
    """Refuse settings under which no video at all could be used."""
    if settings.crop_px > settings.short_side_px:
        raise SettingsError(
            f"data.crop_px must not exceed data.short_side_px, but {settings.crop_px} > {settings.short_side_px}; "
            "raise data.short_side_px"
        )
    if settings.frames > settings.max_video_frames:
        raise SettingsError(
            f"data.frames must not exceed data.max_video_frames, but {settings.frames} > {settings.max_video_frames}; "
            "raise data.max_video_frames"
        )


def _rows(videos: Sequence[Video], side: str) -> list[dict[str, Any]]:
    return [
        {
            "name": video.name,
            "source": video.source,
            "side": side,
            "sha256": video.sha256,
            "frames": video.shape[0],
            "width": video.shape[2],
            "height": video.shape[1],
        }
        for video in videos
    ]


def _digest(settings: DataSettings, training: Sequence[Video], validation: Sequence[Video]) -> str:
    """Hash contents, decoder, sides, sources and the settings of the crops; not paths, cache or workers."""
    crops = {"frames", "crop_px", "max_frame_stride", "flip", "training_clips", "validation_clips", "seed"}
    content = {
        "cutting": CUTTING,
        "crops": settings.model_dump(include=crops),
        "training": sorted((video.source, video.key) for video in training),
        "validation": sorted((video.source, video.key) for video in validation),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:12]


def _describe(cuts: Sequence[Cut], videos: Sequence[Video], settings: DataSettings) -> str:
    size = f"{settings.frames}x{settings.crop_px}x{settings.crop_px}"
    sources = len({video.source for video in videos})
    return f"{len(cuts)} clips of {size} from {len(videos)} videos of {sources} sources"
