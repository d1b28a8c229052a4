"""Files become videos: hashed, decoded in parallel, and kept or skipped by stated rules."""

import hashlib
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from model.data.cache import entry_key, recall
from model.data.decode import DECODER, UnreadableError, decode
from model.data.parallel import in_parallel, worker_count
from model.data.settings import DataSettings
from model.data.sources import Listed, list_files
from model.data.split import compile_pattern, source_of
from model.data.video import Skipped, Video
from model.settings import SettingsError

#: Lines of one kind that are named in the log; the rest is counted there and listed in `Clips.skipped`.
NAMED = 10


def read_files(settings: DataSettings, log: Callable[[str], None]) -> tuple[tuple[Video, ...], tuple[Skipped, ...]]:
    """Decode every file of `data.source` and keep those that a clip can be cut from.

    Skipped are files that cannot be decoded or do not exist, that have fewer frames than a clip, or a short side below the crop.

    Returns:
        Videos and skipped files, in order of their names.

    Raises:
        SettingsError: no file can be used, or more than `data.max_unreadable_share` of them cannot be decoded.
        OSError: the cache cannot be written.
    """
    pattern = compile_pattern(settings.source_pattern)
    listing = list_files(settings)
    workers = worker_count(settings)
    log(f"data: reading {len(listing.files)} files of {settings.source} with {workers} threads")
    read = partial(_read, settings=settings, source=lambda name: source_of(name, pattern))
    outcomes: list[Video | Skipped] = []
    progress_every = max(len(listing.files) // 10, 50)
    for outcome in in_parallel(read, listing.files, workers):
        outcomes.append(outcome)
        if len(outcomes) % progress_every == 0:
            log(f"data: read {len(outcomes)} of {len(listing.files)} files")
    videos = tuple(outcome for outcome in outcomes if isinstance(outcome, Video))
    skipped = tuple(outcome for outcome in outcomes if isinstance(outcome, Skipped))
    _report(videos, skipped, listing.side_files, log)
    _check(settings, len(outcomes), videos, skipped)
    return videos, skipped


def _read(file: Listed, settings: DataSettings, source: Callable[[str], str]) -> Video | Skipped:
    """Decode one file, or say which rule it breaks."""
    try:
        sha256 = _sha256(file.path)
        key = entry_key(sha256, settings.short_side_px, settings.max_video_frames, DECODER)
        stored = recall(
            Path(settings.cache_dir) / "videos",
            key,
            lambda: decode(file.path, settings.short_side_px, settings.max_video_frames),
        )
    except UnreadableError as error:
        return Skipped(file.name, f"unreadable: {error}", unreadable=True)
    video = Video(file.name, source(file.name), sha256, key, stored)
    if video.shape[0] < settings.frames:
        return Skipped(file.name, f"too short: {video.shape[0]} frames, fewer than data.frames = {settings.frames}")
    if video.short_side_px < settings.crop_px:
        return Skipped(
            file.name, f"too small: short side {video.short_side_px}, below data.crop_px = {settings.crop_px}"
        )
    return video


def _sha256(path: Path) -> str:
    if not path.is_file():
        raise UnreadableError("there is no such file")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableError(f"it cannot be read ({error.strerror})") from error


def _report(videos: Sequence[Video], skipped: Sequence[Skipped], side_files: int, log: Callable[[str], None]) -> None:
    """Log one line of counts, then the names that people may want to look at."""
    unreadable = sum(file.unreadable for file in skipped)
    log(
        f"data: {len(videos)} videos used, {len(skipped)} skipped ({unreadable} unreadable, {len(skipped) - unreadable} "
        f"too short or too small), {side_files} other files passed over"
    )
    name_some([f"data: skipped {file.name}: {file.rule}" for file in skipped], log)
    damages = {video.name: video.stored.damage for video in videos if video.stored.damage}
    name_some([f"data: damaged {name} {why}; the frames before are used" for name, why in damages.items()], log)


def name_some(lines: Sequence[str], log: Callable[[str], None]) -> None:
    """Log the first lines and count the rest."""
    for line in lines[:NAMED]:
        log(line)
    if len(lines) > NAMED:
        log(f"data: ... and {len(lines) - NAMED} more like these")


def _check(settings: DataSettings, listed: int, videos: Sequence[Video], skipped: Sequence[Skipped]) -> None:
    """Refuse a set that is mostly broken or empty, naming the first five files."""
    unreadable = [file for file in skipped if file.unreadable]
    if len(unreadable) > settings.max_unreadable_share * listed:
        raise SettingsError(
            f"at most data.max_unreadable_share = {settings.max_unreadable_share:g} of the files may be unreadable, but "
            f"{len(unreadable)} of {listed} are: {_first_five(unreadable)}; mend or remove them, or raise the share"
        )
    if not videos:
        raise SettingsError(
            f"at least one video must be usable, but none of {listed} is: {_first_five(skipped)}; "
            "add longer or larger videos, or lower data.frames or data.crop_px"
        )


def _first_five(files: Sequence[Skipped]) -> str:
    named = ", ".join(f"{file.name} ({file.rule})" for file in files[:5])
    return f"{named}{', ...' if len(files) > 5 else ''}"
