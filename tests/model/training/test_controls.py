from collections.abc import Callable

import pytest
import torch

from model.recipe import Recipe
from model.training.average import average_decay
from model.training.batches import draw
from model.training.controls import Controls
from model.training.settings import LOSSES

CPU = torch.device("cpu")


def test_a_step_finds_its_own_numbers_where_the_last_one_found_them(recipe: Callable[..., Recipe]) -> None:
    settings = recipe(
        "losses.encoder=0.5", "losses.seraena=0.25", "optimizer.learning_rate=0.01", "schedule.kind=linear",
        "schedule.warmup_share=0", "optimizer.max_gradient_norm=2.0", "losses.critic_learning_rate=0.125",
    )  # fmt: skip
    controls = Controls(draw(0, 8, 9, settings), CPU)
    places = [tensor.data_ptr() for tensor in (controls.learning_rate, controls.clips, controls.step)]
    for step in (0, 2):
        draws = draw(step, 8, 9, settings)
        rate = controls.set(step, draws.clips + 100, draws, settings)
        assert rate == pytest.approx(0.01 * (1 - step / 4))
        assert controls.learning_rate.item() == pytest.approx(rate)
        assert dict(zip(LOSSES, controls.loss_weights.tolist(), strict=True)) == {
            name: getattr(settings.losses, name) for name in LOSSES
        } | {"seraena": 0.25}
        assert controls.max_gradient_norm.item() == 2
        assert controls.critic_learning_rate.item() == 0.125
        assert controls.joining.item() == pytest.approx(1 - average_decay(step + 1, 4, settings.training.average_share))
        assert controls.step.item() == step + 1
        assert torch.equal(controls.clips, draws.clips + 100)
        assert torch.equal(controls.perceptual_frames, draws.perceptual_frames)
        assert torch.equal(controls.written, draws.critic.written)
        assert torch.equal(controls.replayed, draws.critic.replayed)
        assert torch.equal(controls.is_fake, draws.critic.is_fake)
    assert places == [tensor.data_ptr() for tensor in (controls.learning_rate, controls.clips, controls.step)]


def test_no_clipping_is_a_bound_that_nothing_reaches(recipe: Callable[..., Recipe]) -> None:
    settings = recipe("optimizer.max_gradient_norm=0")
    draws = draw(0, 8, 9, settings)
    controls = Controls(draws, CPU)
    controls.set(0, draws.clips, draws, settings)
    assert controls.max_gradient_norm.item() == torch.inf
