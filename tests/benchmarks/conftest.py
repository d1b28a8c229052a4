"""What tests of benchmarks share: a record that is made already."""

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def record(tmp_path: Path, blank_record: Path) -> Path:
    """The empty record at the place that `tiny` names."""
    root = tmp_path / "mlruns"
    shutil.copytree(blank_record, root)
    return root
