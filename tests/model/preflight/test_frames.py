from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from model.bank import Bank
from model.preflight.frames import keep_input, most_moving, shift_between, standardise
from model.recipe import Recipe
from model.training.state import start_state

CPU = torch.device("cpu")


def test_the_most_moving_clips_keep_their_latents(bank: Bank) -> None:
    still = bank.training.clone()
    still[:, 1:] = still[:, :1]
    still[[5, 11]] = bank.training[[5, 11]]
    chosen = most_moving(replace(bank, training=still), 2)
    assert {clip.sum().item() for clip in chosen.training} == {clip.sum().item() for clip in still[[5, 11]]}
    place = next(place for place in (5, 11) if torch.equal(chosen.training[0], still[place]))
    assert torch.equal(chosen.training_latents[0], bank.training_latents[place])


@pytest.mark.parametrize("variant", ["base", "wan22"])
def test_the_kept_input_is_the_video_whatever_the_patches(recipe: Callable[..., Recipe], variant: str) -> None:
    model = start_state(recipe(f"network.variant={variant}"), CPU).model
    video = torch.rand(2, 9, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    kept: list[torch.Tensor] = []
    with keep_input(model, kept):
        model.encode(video)
    model.encode(video)
    (entered,) = [frames.unflatten(0, (2, -1)) for frames in kept]
    assert torch.equal(entered, video)


@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 3])
def test_a_shift_is_found_whatever_the_range(bank: Bank, shift: int) -> None:
    frames = most_moving(bank, 4).training.float() / 255
    assert shift_between(frames.roll(shift, dims=1), frames) == shift
    assert shift_between(frames.roll(shift, dims=1) / 255, frames) == shift
    assert shift_between(2 * frames.roll(shift, dims=1) - 1, frames / 255) == shift


def test_a_video_of_one_value_has_no_shift(bank: Bank) -> None:
    frames = bank.training[:2].float() / 255
    assert shift_between(torch.full_like(frames, 0.3), frames) is None
    assert standardise(torch.full((1, 2, 3, 4, 4), 7.0)).unique().tolist() == [0.5]
