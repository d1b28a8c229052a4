"""A record for each run."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path, blank_record: Path) -> Path:
    """A folder whose mlruns is an empty record: making one takes seconds, copying it does not."""
    shutil.copytree(blank_record, tmp_path / "mlruns")
    return tmp_path
