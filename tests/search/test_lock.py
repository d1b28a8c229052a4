import subprocess
import sys
from pathlib import Path

import pytest

from search.holder import Holder
from search.lock import study_lock

HOLD = """
import sys
from pathlib import Path
from search.lock import study_lock
with study_lock(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_coordinator_is_refused_and_told_who_holds_the_record(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with (
            pytest.raises(RuntimeError, match=rf"held by \S+@\S+, process {holder.pid}, for \d+ s; wait"),
            study_lock(tmp_path),
        ):
            pass
        holder.kill()
        holder.wait()
        with study_lock(tmp_path):  # a dead holder holds nothing
            assert (tmp_path / "coordinator.lock").read_text() == Holder.here().name
    finally:
        holder.kill()
        holder.communicate()


def test_a_place_that_cannot_be_written_is_one_clear_line() -> None:
    with (
        pytest.raises(RuntimeError, match="the record must be writable, but /proc/record"),
        study_lock(Path("/proc/record")),
    ):
        pass
