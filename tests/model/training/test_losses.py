from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from model.network.critic import group_frames
from model.network.replay import draw_for_critic
from model.recipe import Recipe
from model.training.batches import Batch
from model.training.losses import measure_losses, weigh
from model.training.passes import Passes
from model.training.settings import LOSSES


def constant_batch() -> Batch:
    """Two clips of nine grey frames and latents of ones."""
    return Batch(
        video=torch.full((2, 9, 3, 32, 32), 0.5),
        latents=torch.ones(2, 3, 16, 4, 4),
        perceptual_frames=torch.tensor([0, 4, 17]),
        critic=draw_for_critic(0, 2, 1, np.random.default_rng(0)),
    )


def constant_passes(latents: float, decoded: float, reconstruction: float) -> Passes:
    batch = constant_batch()
    return Passes(
        latents=torch.full_like(batch.latents, latents, requires_grad=True),
        decoded=torch.full_like(batch.video, decoded, requires_grad=True),
        reconstruction=torch.full_like(batch.video, reconstruction, requires_grad=True),
    )


def measure(recipe: Recipe, passes: Passes, perceived: Tensor | None = None) -> dict[str, Tensor]:
    fake = group_frames(passes.decoded.detach(), recipe.losses.critic_group_frames)
    return measure_losses(passes, constant_batch(), fake + 0.3, perceived, recipe.losses)


def test_hand_computed_values(recipe: Callable[..., Recipe]) -> None:
    losses = measure(recipe(), constant_passes(latents=3.0, decoded=0.6, reconstruction=0.3))
    assert {name: loss.item() for name, loss in losses.items()} == pytest.approx(
        {"encoder": 4.0, "decoder": 0.01, "reconstruction": 0.04, "seraena": 0.09}, rel=1e-5
    )


def test_losses_of_equal_values_are_zero(recipe: Callable[..., Recipe]) -> None:
    losses = measure(recipe(), constant_passes(latents=1.0, decoded=0.5, reconstruction=0.5))
    assert [losses[name].item() for name in ("encoder", "decoder", "reconstruction")] == [0, 0, 0]


def test_weighted_losses_are_weight_times_loss(recipe: Callable[..., Recipe]) -> None:
    settings = recipe("losses.encoder=0.25", "losses.decoder=2.0", "losses.reconstruction=10.0", "losses.seraena=0.5")
    weighted = weigh(measure(settings, constant_passes(3.0, 0.6, 0.3)), settings.losses)
    assert {name: loss.item() for name, loss in weighted.items()} == pytest.approx(
        {"encoder": 1.0, "decoder": 0.02, "reconstruction": 0.4, "seraena": 0.045}, rel=1e-5
    )


@pytest.mark.parametrize("name", ["encoder", "decoder", "reconstruction", "seraena"])
def test_a_loss_without_weight_is_measured_but_has_no_gradient(recipe: Callable[..., Recipe], name: str) -> None:
    passes = constant_passes(3.0, 0.6, 0.3)
    settings = recipe(f"losses.{name}=0.0")
    losses = measure(settings, passes)
    assert losses[name] > 0
    assert not losses[name].requires_grad
    assert set(weigh(losses, settings.losses)) == {"encoder", "decoder", "reconstruction", "seraena"} - {name}


def test_the_perceptual_loss_comes_from_outside(recipe: Callable[..., Recipe]) -> None:
    perceived = torch.tensor(0.25)
    losses = measure(recipe("losses.perceptual=2.0"), constant_passes(1.0, 0.5, 0.1), perceived)
    assert tuple(losses) == LOSSES
    assert weigh(losses, recipe("losses.perceptual=2.0").losses)["perceptual"] == 0.5
