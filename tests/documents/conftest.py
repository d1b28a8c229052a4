"""A stage for the commands of a document."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.documents.stage import Stage
from tests.documents.things import make_failed_run, make_models, make_videos


@pytest.fixture
def stage(tmp_path: Path, blank_record: Path, cache_dir: Path) -> Iterator[Stage]:
    """An empty record and the files that the documents speak of; what is still running at the end is ended."""
    folder = tmp_path / "taehv-search"
    folder.mkdir()
    make_videos(folder)
    make_models(folder)
    make_failed_run(folder)
    # The path of Ray's sockets must be short.
    with tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as ray_folder:
        made = Stage(folder, blank_record, cache_dir, Path(ray_folder))
        yield made
        made.clear()
