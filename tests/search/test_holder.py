import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from search import holder
from search.holder import Holder, started, user


def test_this_process_lives_and_is_named_for_people() -> None:
    here = Holder.here()
    assert here.lives()
    assert here.name.startswith(f"{user()}@")
    assert here.name.endswith(f", process {os.getpid()}")
    assert here == Holder.here()


def test_a_process_that_has_ended_is_dead_also_before_anybody_asks_for_its_end() -> None:
    process = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE)
    ticks = started(process.pid)
    assert ticks is not None
    other = replace(Holder.here(), pid=process.pid, started=ticks)
    assert other.lives()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
    assert other.lives() is False
    process.communicate()
    assert other.lives() is False


def test_a_number_that_was_given_again_is_another_process() -> None:
    here = Holder.here()
    assert replace(here, started=here.started - 1).lives() is False


def test_of_another_place_nothing_can_be_said() -> None:
    assert replace(Holder.here(), place="another boot").lives() is None


def test_a_holder_goes_through_a_line_of_text() -> None:
    here = Holder.here()
    assert "\n" not in here.to_text()
    assert Holder.from_text(here.to_text()) == here


def test_of_a_process_that_the_system_hides_nothing_can_be_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Holder.here()
    for name in ("sys", "self"):  # of /proc under hidepid=2, where others' processes are not there
        (tmp_path / name).symlink_to(f"/proc/{name}")
    monkeypatch.setattr(holder, "PROC", tmp_path)

    def not_permitted(_pid: int, _signal: int) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(holder.os, "kill", not_permitted)
    assert replace(here, pid=4711).lives() is None


def test_a_person_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(holder.getpass, "getuser", nobody)
    assert user() == str(os.getuid())
