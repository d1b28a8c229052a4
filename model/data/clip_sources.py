"""Which video each clip was cut from: clips of one source share its luck."""

from collections.abc import Iterable, Mapping
from typing import Any


def match_sources(names: Iterable[str], manifest: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Give each clip, whose name is its file's and " #" with a number, the source that the manifest has for the file."""
    known = {row["name"]: row["source"] for row in manifest}
    files = {name: name.rpartition(" #")[0] for name in names}
    return {name: known.get(file, file or name) for name, file in files.items()}
