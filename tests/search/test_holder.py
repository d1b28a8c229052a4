import os
import subprocess
import sys
from dataclasses import replace

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


def test_a_person_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found")

    monkeypatch.setattr(holder.getpass, "getuser", nobody)
    assert user() == str(os.getuid())
