"""What waits on disk survives a kill at any byte."""

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tracking.operations import Operation, Upload, to_line
from tracking.spool import Spool

FIRST, SECOND, THIRD = (Upload("r", f"{number}.txt") for number in range(3))


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    spool = Spool(tmp_path / "spool")
    with spool.held():
        for operation in (FIRST, SECOND):
            spool.append(operation)
    return spool


def waiting(spool: Spool) -> list[Operation]:
    return [operation for operation, _ in spool.operations()]


def test_an_empty_spool_is_false(tmp_path: Path) -> None:
    assert not Spool(tmp_path / "none")
    assert waiting(Spool(tmp_path / "none")) == []


def test_what_waits_is_found_by_the_next_command_in_order(spool: Spool) -> None:
    again = Spool(spool.folder)
    assert again
    assert waiting(again) == [FIRST, SECOND]


def test_what_was_counted_is_not_done_again(spool: Spool) -> None:
    (_, position), _ = spool.operations()
    spool.count(position)
    assert waiting(Spool(spool.folder)) == [SECOND]
    spool.append(THIRD)
    assert waiting(spool) == [SECOND, THIRD]


@pytest.mark.parametrize("kept", range(1, len(to_line(THIRD))))
def test_a_line_that_a_kill_cut_off_was_never_there(spool: Spool, kept: int) -> None:
    with spool.waiting.open("ab") as file:
        file.write(to_line(THIRD)[:kept])
    assert waiting(spool) == [FIRST, SECOND]
    spool.append(THIRD)
    assert waiting(spool) == [FIRST, SECOND, THIRD]


def test_a_full_disk_keeps_what_was_there(spool: Spool, full_disk: Callable[[], AbstractContextManager[None]]) -> None:
    with full_disk(), pytest.raises(OSError):
        spool.append(Upload("r", "x" * (1 << 17)))
    assert waiting(spool) == [FIRST, SECOND]
    spool.append(THIRD)
    assert waiting(spool) == [FIRST, SECOND, THIRD]


def test_a_kill_while_it_is_cleared_leaves_a_second_delivery_and_no_loss(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, (_, position) = spool.operations()
    spool.count(position)
    assert waiting(spool) == []
    removed: list[Path] = []

    def killed_after_one(path: Path, missing_ok: bool = False) -> None:
        if removed:
            raise KeyboardInterrupt
        removed.append(path)
        path.replace(path.with_name("gone"))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", killed_after_one)
        with pytest.raises(KeyboardInterrupt):
            spool.clear()
    assert waiting(Spool(spool.folder)) == [FIRST, SECOND]
    spool.clear()
    assert not spool


def test_what_is_refused_is_kept_with_its_reason(spool: Spool) -> None:
    path = spool.refuse(FIRST, "no such «run»")
    assert json.loads(path.read_text(encoding="utf-8")) == {"reason": "no such «run»", **json.loads(to_line(FIRST))}
