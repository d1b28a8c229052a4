"""One moment of the matrix that docs/crash-matrix.md shows whole: python -m tests.crashes docs/crash-matrix.md."""

import shutil
from pathlib import Path

import pytest

from tests.crashes.kill import crash
from tests.crashes.moments import moments


@pytest.mark.long
def test_a_killed_study_goes_on_to_exactly_what_was_asked_for(
    tmp_path: Path, blank_record: Path, cache_dir: Path
) -> None:
    shutil.copytree(blank_record, tmp_path / "mlruns")
    outcome = crash(moments(20)[0], tmp_path, cache_dir)
    assert outcome.wrongs == (), outcome
