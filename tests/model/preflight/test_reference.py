from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from model.bank import Bank
from model.network.reference.pca import PcaReference
from model.preflight.reference import check_reference
from model.recipe import Recipe
from model.training.batches import Batch, take_batch

CPU = torch.device("cpu")


def test_a_sound_teacher_says_the_same_twice(recipe: Callable[..., Recipe], bank: Bank) -> None:
    found = check_reference(recipe(), bank, CPU)
    assert found.repeat_difference < 1e-4
    assert found.frame_shift == 0
    assert found.latent_mean == pytest.approx(bank.training_latents.mean().item(), abs=1e-5)
    assert found.latent_std == pytest.approx(bank.training_latents.std().item(), rel=1e-3)


def test_noise_in_place_of_latents_differs_by_the_root_of_two(recipe: Callable[..., Recipe], bank: Bank) -> None:
    noise = torch.randn(bank.training_latents.shape, generator=torch.Generator().manual_seed(0))
    found = check_reference(recipe(), replace(bank, training_latents=noise), CPU)
    assert found.repeat_difference == pytest.approx(2**0.5, rel=0.2)


def test_latents_that_are_changed_on_the_way_to_training_differ(
    recipe: Callable[..., Recipe], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take_halved(*arguments: object) -> Batch:
        batch = take_batch(*arguments)
        return replace(batch, latents=batch.latents / 2)

    monkeypatch.setattr("model.preflight.reference.take_batch", take_halved)
    # Two batches of eight are all clips, so that their latents have the bank's own deviation.
    found = check_reference(recipe("training.batch_size=8"), bank, CPU)
    assert found.repeat_difference == pytest.approx(0.5, rel=1e-3)


def test_a_teacher_that_draws_its_latents_differs_from_itself(
    recipe: Callable[..., Recipe], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode, generator = PcaReference.encode, torch.Generator().manual_seed(0)

    def draw(self: PcaReference, video: torch.Tensor) -> torch.Tensor:
        latents = encode(self, video)
        return latents + 0.5 * torch.randn(latents.shape, generator=generator)

    monkeypatch.setattr(PcaReference, "encode", draw)
    expected = 0.5 / bank.training_latents.std().item()
    assert check_reference(recipe(), bank, CPU).repeat_difference == pytest.approx(expected, rel=0.1)


def test_a_round_trip_that_comes_late_is_seen(recipe: Callable[..., Recipe], bank: Bank) -> None:
    late = replace(bank, validation_round_trip=bank.validation_round_trip.roll(1, dims=1))
    assert check_reference(recipe(), late, CPU).frame_shift == 1
