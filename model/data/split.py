"""Which side a video stands on: decided by a hash of its source's name alone, so adding videos moves none."""

import hashlib
import re
from collections.abc import Sequence

from model.data.video import Skipped, Video
from model.settings import SettingsError

#: Any fixed text would do. With this one, at a share of 0.2, the demo and the 34 sources of the set that figures are measured on
#: both get natural pictures in colour on each side; with others a side may hold little but textures.
SALT = "split 78:"


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Compile `data.source_pattern`.

    Raises:
        SettingsError: it is no regular expression, or has no group.
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise SettingsError(f"data.source_pattern must be a regular expression, but '{pattern}': {error}") from error
    if compiled.groups < 1:
        raise SettingsError(
            f"data.source_pattern must have a group that names the source, but '{pattern}' has none; put ( ) around that part"
        )
    return compiled


def source_of(name: str, pattern: re.Pattern[str]) -> str:
    """Return the first group of the pattern in a relative path; where it does not match, the path without its ending."""
    match = pattern.search(name)
    return (match and match.group(1)) or re.sub(r"\.[^./]*$", "", name)


def is_validation(source: str, validation_share: float) -> bool:
    """Say whether a source belongs to the validation side."""
    return int(hashlib.sha256(f"{SALT}{source}".encode()).hexdigest()[:8], 16) / 2**32 < validation_share


def split(
    videos: Sequence[Video], validation_share: float
) -> tuple[tuple[Video, ...], tuple[Video, ...], tuple[Skipped, ...]]:
    """Part videos into training and validation; of equal files one is used, and the validation side keeps it.

    Returns:
        Training videos, validation videos, and the copies that were left out.

    Raises:
        SettingsError: a side is empty.
    """
    kept: dict[str, Video] = {}
    copies: list[Skipped] = []
    # Validation first: a copy in training would be a leak, and dropping it there leaves the scores as they are.
    for video in sorted(videos, key=lambda video: (not is_validation(video.source, validation_share), video.name)):
        first = kept.setdefault(video.sha256, video)
        if first is not video:
            copies.append(Skipped(video.name, f"copy: equal files are used once, as {first.name}"))
    used = sorted(kept.values(), key=lambda video: video.name)
    validation = tuple(video for video in used if is_validation(video.source, validation_share))
    training = tuple(video for video in used if not is_validation(video.source, validation_share))
    for side, side_videos in (("training", training), ("validation", validation)):
        if not side_videos:
            sources = sorted({video.source for video in used})
            raise SettingsError(
                f"both sides of the split need a video, but {side} has none of the {len(sources)} sources "
                f"({', '.join(sources[:5])}{', ...' if len(sources) > 5 else ''}); add videos of other sources, or change "
                f"data.source_pattern or data.validation_share = {validation_share}"
            )
    return training, validation, tuple(copies)
