import math
from collections.abc import Callable

import numpy as np
import pytest
import torch

from model.bank import Bank
from model.data.pixels import to_unit
from model.recipe import Recipe
from model.training.measurement import Measurement
from model.training.state import start_state
from model.training.validation import add_scores

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
