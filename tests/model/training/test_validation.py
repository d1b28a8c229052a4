import math
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import torch

from model.bank import Bank
from model.data.pixels import to_unit
from model.evaluation.film import REPEATS
from model.evaluation.scores import ClipScore, Scores
from model.recipe import Recipe
from model.training.measurement import Measurement
from model.training.state import start_state
from model.training.validation import FILM, add_scores, extremes, save_film

CPU = torch.device("cpu")


def test_scores_are_of_the_given_weights_on_the_validation_clips(recipe: Callable[..., Recipe], bank: Bank) -> None:
    settings = recipe()
    average = start_state(settings, CPU).average
    measured = add_scores(Measurement(3, {"loss/total": 1.0}), average, settings, bank, None, CPU)

    target = to_unit(bank.validation)
    output = average.decode(average.encode(target)).clamp(0, 1)
    mean_square = (output - target).double().square().mean((2, 3, 4))
    assert measured.values["val/psnr"] == pytest.approx((-10 * mean_square.log10()).mean().item(), abs=1e-3)
    assert measured.values["score"] == pytest.approx(
        50 * measured.values["val/psnr"] / 40 + 50 * measured.values["val/ssim"]
    )
    assert (measured.step, measured.values["loss/total"]) == (3, 1.0)
    assert measured.scores is not None
    assert [clip.name for clip in measured.scores.clips] == ["a", "b", "c", "d"]
    assert all(math.isfinite(value) for value in measured.values.values())


def test_the_picture_shows_as_many_clips_as_asked_for(recipe: Callable[..., Recipe], bank: Bank) -> None:
    average = start_state(recipe(), CPU).average
    pictures = [
        add_scores(Measurement(1, {}), average, recipe(f"evaluation.pictures={count}"), bank, None, CPU).picture
        for count in (0, 1, 3)
    ]
    assert pictures[0] is None
    assert pictures[1] is not None
    assert pictures[2] is not None
    assert pictures[1].dtype == np.uint8
    assert pictures[2].shape[0] > 2 * pictures[1].shape[0]
    assert pictures[2].shape[1:] == (pictures[1].shape[1], 3)


def test_the_worst_and_the_best_clips_are_drawn_at_the_last_step(recipe: Callable[..., Recipe], bank: Bank) -> None:
    settings = recipe("training.steps=3", "evaluation.pictures=1")
    average = start_state(settings, CPU).average
    early, last = (add_scores(Measurement(step, {}), average, settings, bank, None, CPU).extremes for step in (2, 3))
    assert early is None
    assert last is not None
    assert last.dtype == np.uint8


def test_extremes_go_from_the_worst_to_the_best_and_name_no_clip_twice() -> None:
    def scores_of(psnrs: list[float]) -> Scores:
        clips = tuple(ClipScore(str(psnr), psnr, 0.5, 0.0, None) for psnr in psnrs)
        return Scores(20.0, 0.5, 0.0, None, None, 50.0, {}, clips, None, 0.5, 0.2, 0.2, 0.0, 0)

    assert extremes(scores_of([20.0, 25.0, 10.0, 30.0, 15.0, 22.0])) == [2, 4, 1, 3]
    assert extremes(scores_of([20.0, 10.0, 30.0])) == [1, 0, 2]


def test_the_film_shows_as_many_clips_as_asked_for(recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path) -> None:
    average = start_state(recipe(), CPU).average
    (tmp_path / "checkpoint").mkdir()
    save_film(average, recipe("evaluation.pictures=0"), bank, tmp_path, CPU)
    assert not (tmp_path / FILM).exists()
    save_film(average, recipe("evaluation.pictures=2"), bank, tmp_path, CPU)
    with av.open(tmp_path / FILM) as film:
        assert sum(1 for _ in film.decode(video=0)) == 2 * REPEATS * bank.validation.shape[1]
