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
    midway = next(moment for moment in moments(20) if moment.line in ("[1/", "[2/", "[3/"))
    outcome = crash(midway, tmp_path, cache_dir)
    assert "RUNNING" in outcome.states
    assert outcome.wrongs == (), outcome
