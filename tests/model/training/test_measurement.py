from collections.abc import Callable

import pytest
import torch

from model.recipe import Recipe
from model.training.measurement import name_values
from model.training.state import Tally
from model.training.step import Step


def make_step(total: float = 2.0, reconstruction: float = 0.01) -> Step:
    return Step(
        losses={"encoder": 1.0, "decoder": 0.5, "reconstruction": reconstruction, "seraena": 0.25},
        total=total,
        gradient_norm=3.0,
        learning_rate=1e-4,
        critic_loss=torch.tensor(0.75),
        probes={"input/max": 1.0},
    )


def test_values_have_the_names_of_the_record(recipe: Callable[..., Recipe]) -> None:
    weights = recipe("losses.encoder=1.0", "losses.decoder=2.0", "losses.reconstruction=0.0").losses
    values = name_values(make_step(), Tally(steps=4, clipped=1, seconds=0.2, waited_s=0.02), weights)
    assert values == pytest.approx(
        {
            "loss/encoder": 1.0,
            "loss/decoder": 0.5,
            "loss/reconstruction": 0.01,
            "loss/seraena": 0.25,
            "share/encoder": 0.5,
            "share/decoder": 0.5,
            "share/reconstruction": 0.0,
            "share/seraena": 0.1 * 0.25 / 2.0,
            "loss/total": 2.0,
            "gradient/norm": 3.0,
            "gradient/clipped": 0.25,
            "learning_rate": 1e-4,
            "train/psnr": 20.0,
            "critic/loss": 0.75,
            "critic/correction_rms": 0.5,
            "time/step_ms": 50.0,
            "time/data_wait_ms": 5.0,
            "input/max": 1.0,
        }
    )


def test_a_perfect_step_has_finite_values(recipe: Callable[..., Recipe]) -> None:
    values = name_values(make_step(total=0.0, reconstruction=0.0), Tally(1, 0, 0.1), recipe().losses)
    assert values["train/psnr"] == 100
    assert values["share/reconstruction"] == 0


def test_losses_that_were_not_computed_have_no_values(recipe: Callable[..., Recipe]) -> None:
    step = make_step()
    few = Step({"encoder": 1.0}, step.total, step.gradient_norm, step.learning_rate, None, {})
    values = name_values(few, Tally(1, 0, 0.1), recipe().losses)
    assert "loss/encoder" in values
    assert not {"loss/seraena", "share/seraena", "train/psnr", "critic/correction_rms", "critic/loss"} & set(values)
