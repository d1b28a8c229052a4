from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from search.page.next_step import LONGER, next_step
from search.preparation import Preparation
from search.ranking import Row
from search.settings import Settings


def row(psnr: float, state: str = "COMPLETE") -> Row:
    return Row(1, 0, "", state, {"score": 2 * psnr, "val/psnr": psnr}, {}, "run")


@pytest.fixture
def step(tiny: Callable[..., Settings], prepared_once: Preparation) -> Callable[..., tuple[str, str]]:
    return lambda *rows: next_step(tiny(), rows, prepared_once.yardsticks, Path("/my runs/artifacts"))


def test_the_best_settings_are_trained_in_full(
    step: Callable[..., tuple[str, str]], tiny: Callable[..., Settings]
) -> None:
    note, command = step(row(30.0))
    assert note == ""
    steps = tiny().promotion.steps
    assert command == f"python -m search.train --config '/my runs/artifacts/best.toml' --set training.steps={steps}"


def test_what_shows_no_picture_is_trained_a_little_longer(
    step: Callable[..., tuple[str, str]], tiny: Callable[..., Settings]
) -> None:
    note, command = step(row(1.0))
    assert note.startswith("no trial is better than a frame of one colour")
    assert command.endswith(f"training.steps={LONGER * tiny().training.steps}")


def test_without_a_complete_score_there_is_no_next_training(step: Callable[..., tuple[str, str]]) -> None:
    assert step() == ("", "")
    assert step(row(30.0, "PRUNED")) == ("", "")
    assert step(replace(row(30.0), metrics={"val/psnr": 30.0})) == ("", "")
