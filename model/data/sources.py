"""Where the videos are: the files of a folder, or those that an annotation file lists."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.data.settings import DataSettings
from model.settings import SettingsError

#: Endings of files that lie beside videos and are passed over in a folder: texts, tables, subtitles, pictures, sounds, arrays,
#: archives. Everything else is tried. (FFmpeg would open a .txt as a film of a terminal and a .jpg as a film of one frame.)
SIDE_FILES = re.compile(
    r"""\.( md | rst | txt | log | nfo | html? | pdf | py | ipynb | sh | jsonl? | csv | tsv | xml | ya?ml | toml | ini
    | srt | vtt | ass | jpe?g | png | bmp | tiff? | svg | wav | mp3 | m4a | aac | flac | opus
    | np[yz] | pth? | pkl | safetensors | parquet | h5 | zip | tar | gz | 7z )$""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Listed:
    """A file that may be a video, and its name: the path relative to the root, "/" between the parts."""

    name: str
    path: Path


@dataclass(frozen=True)
class Listing:
    """Files in order of their names, and how many files beside them were passed over."""

    files: tuple[Listed, ...]
    side_files: int = 0


def list_files(settings: DataSettings) -> Listing:
    """Find the files that `data.source` means.

    Raises:
        SettingsError: the source is neither a folder nor an annotation file, or lists nothing that may be a video.
    """
    source = Path(settings.source).expanduser()
    if source.is_dir():
        return list_folder(source)
    if source.is_file() and source.suffix.lower() == ".json":
        return list_annotation(source, Path(settings.root).expanduser() if settings.root else source.parent)
    what = "is a single file" if source.exists() else "does not exist"
    raise SettingsError(
        f"data.source must be 'demo', a folder of videos or an annotation file (.json), but '{settings.source}' {what}; "
        "give the folder that holds the videos"
    )


def list_folder(folder: Path) -> Listing:
    """List a folder and the folders in it, leaving out hidden names and side files.

    Raises:
        SettingsError: no file is left.
    """
    files, side_files = [], 0
    for parent, folders, names in os.walk(folder, onerror=_refuse):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            path = Path(parent, name)
            if SIDE_FILES.search(name):
                side_files += 1
            elif not name.startswith("."):
                files.append(Listed(path.relative_to(folder).as_posix(), path))
    if not files:
        found = f"only {side_files} files that are no videos (texts, pictures, sounds)" if side_files else "no files"
        raise SettingsError(
            f"a folder of videos must hold at least one, but '{folder}' holds {found}; check data.source"
        )
    return Listing(tuple(sorted(files, key=lambda file: file.name)), side_files)


def _refuse(error: OSError) -> None:
    raise error


def list_annotation(path: Path, root: Path) -> Listing:
    """List the files that {"total": N, "list": [{"path" or "full_path": ..., ...}, ...]} names, each once.

    Lengths and durations in the file are not trusted and not read; "total" is not needed.

    Raises:
        SettingsError: the file is no such JSON, lists nothing, or names a path outside the root.
    """
    form = '{"total": N, "list": [{"path": ...}, ...]}'
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise SettingsError(f"an annotation file must be JSON of the form {form}, but {path}: {error}") from error
    entries = content.get("list") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise SettingsError(f"an annotation file must have the form {form} with at least one entry, but {path} has not")
    if not root.is_dir():
        raise SettingsError(
            f"data.root must be the folder that the paths of {path} start from, but '{root}' is no folder"
        )
    files = {_name(entry, number, path, root): None for number, entry in enumerate(entries)}
    return Listing(tuple(Listed(name, root / name) for name in sorted(files)))


def _name(entry: Any, number: int, annotation: Path, root: Path) -> str:
    """Return the path of an entry relative to the root, refusing one that leaves it, through links too."""
    given = (entry.get("path") or entry.get("full_path")) if isinstance(entry, dict) else None
    if not isinstance(given, str):
        raise SettingsError(
            f'each entry of an annotation file must have a "path" or "full_path", but entry {number} of {annotation} has neither'
        )
    lexical, inside = Path(os.path.normpath(root.absolute())), root.resolve()
    path = Path(os.path.normpath(root.absolute() / given))
    bases = [base for base in (lexical, inside) if path.is_relative_to(base)]
    if not bases or not path.resolve().is_relative_to(inside):
        raise SettingsError(
            f"paths of an annotation file must stay inside data.root, but entry {number} of {annotation} names '{given}' "
            f"and the root is '{inside}'; set data.root to a folder that holds all videos"
        )
    return path.relative_to(bases[0]).as_posix()
