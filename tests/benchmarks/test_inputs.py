import pytest
import torch

from benchmarks.inputs import find_perceptual, random_bank
from model.network.taehv import TAEHV
from model.recipe import Recipe
from model.settings import build, read_tables
from model.training.batches import take_batch
from tests.commands import ROOT, TINY


@pytest.mark.parametrize("changes", [["network.variant=base"], ["network.variant=wan22", "data.crop_px=32"]])
def test_noise_has_the_shapes_of_a_real_bank(changes: list[str]) -> None:
    recipe = build(Recipe, read_tables(ROOT / "conf.toml", "cpu", [*TINY, *changes]))
    batch = take_batch(random_bank(recipe), 0, recipe, torch.device("cpu"))
    assert batch.video.shape == (2, 9, 3, recipe.data.crop_px, recipe.data.crop_px)
    with torch.no_grad():
        latents = TAEHV(recipe.network).encode(batch.video)
    assert batch.latents.shape == latents.shape
    assert 0 <= batch.video.min() < batch.video.max() <= 1


def test_without_lpips_its_loss_has_no_weight_and_that_is_said() -> None:
    recipe = build(Recipe, read_tables(ROOT / "conf.toml", "cpu", TINY))
    said: list[str] = []
    perceptual, changed = find_perceptual(recipe, torch.device("cpu"), said.append)
    assert perceptual is None
    assert recipe.losses.perceptual > 0
    assert changed.losses == recipe.losses.model_copy(update={"perceptual": 0.0})
    assert "no LPIPS" in said[0]
