"""Settings of the data path."""

from typing import Annotated, ClassVar

from pydantic import Field, field_validator

from model.settings import FrozenSettings, HomePath


class DataSettings(FrozenSettings):
    """Which videos, how they are split, cropped and cached."""

    unscientific: ClassVar[frozenset[str]] = frozenset({"cache_dir", "workers"})

    source: HomePath
    root: HomePath
    source_pattern: str
    validation_share: Annotated[float, Field(gt=0, lt=1)]
    max_unreadable_share: Annotated[float, Field(ge=0, le=1)]
    frames: Annotated[int, Field(ge=9)]
    crop_px: Annotated[int, Field(ge=16)]
    short_side_px: Annotated[int, Field(ge=16)]
    max_video_frames: Annotated[int, Field(ge=9)]
    max_frame_stride: Annotated[int, Field(ge=1, le=5)]
    flip: bool
    training_clips: Annotated[int, Field(ge=1)]
    validation_clips: Annotated[int, Field(ge=1)]
    seed: Annotated[int, Field(ge=0)]
    cache_dir: HomePath
    workers: Annotated[int, Field(ge=0)]

    @field_validator("frames")
    @classmethod
    def _length_suits_every_variant(cls, frames: int) -> int:
        if frames % 8 != 1:
            below = (frames - 1) // 8 * 8 + 1
            raise ValueError(
                f"a clip must have 8k+1 frames, but frames = {frames}; take {max(below, 9)} or {max(below, 1) + 8}"
            )
        return frames
