"""A study on a disk of its own that really fills."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.commands import TINY, settings_options
from tests.crashes.state import damage, trials_of, wrongs
from tests.search.test_promote import SMALL

#: Of the disk, and what a study finds free of it: enough to begin, not enough for three trials with their checkpoints.
DISK_MIB, FREE_MIB = 64, 2


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(place)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("a disk that may be filled must be mounted, and that takes the rights of root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


@pytest.mark.long
def test_a_full_disk_stops_the_study_with_one_line_and_a_record_that_goes_on(
    disk: Path, blank_record: Path, cache_dir: Path, call
) -> None:
    root = disk / "mlruns"
    shutil.copytree(blank_record, root)
    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={root}", "search.workers=1"]
    options = ("--trials", "3", *settings_options(*changes, "tracking.keep_checkpoints=3"))
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - FREE_MIB * 2**20))

    full = call("search.run", *options)
    assert full.code == 1, full.out
    errors = [line for line in full.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, full.err
    assert "Traceback" not in full.err
    assert "free space on its disk" in errors[0] or "No space left on device" in errors[0], errors
    assert damage(root / "optuna.db") == damage(root / "mlflow.db") == []
    trials_of(root)

    filler.unlink()
    again = call("search.run", *options)
    assert again.code == 0, again.err
    assert wrongs(root, 3) == []


@pytest.mark.long
def test_a_full_disk_interrupts_a_full_run_that_goes_on_afterwards(
    disk: Path, blank_record: Path, cache_dir: Path, call
) -> None:
    root = disk / "mlruns"
    shutil.copytree(blank_record, root)
    changes = [*TINY, *SMALL, f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    options = settings_options(*changes, "search.workers=1", "tracking.keep_checkpoints=1")
    assert call("search.run", "--trials", "4", *options).code == 0
    assert call("search.promote", *options).code == 1  # the gate, after the confirmations
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - FREE_MIB * 2**20))

    full = call("search.promote", "--force", *options)
    assert full.code == 1, full.out
    errors = [line for line in full.err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, full.err
    assert "Traceback" not in full.err
    assert "free space on its disk" in errors[0] or "No space left on device" in errors[0], errors
    assert damage(root / "optuna.db") == damage(root / "mlflow.db") == []

    filler.unlink()
    again = call("search.promote", "--force", *options)
    assert again.code == 0, again.err
    assert "registered taehv version 1" in again.out
