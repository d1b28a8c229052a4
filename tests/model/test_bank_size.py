from collections.abc import Callable

import pytest
import torch

from model.bank import build_bank
from model.bank_size import bank_bytes, in_words, state_size
from model.recipe import Recipe
from model.settings import build, read_tables
from tests.commands import ROOT


@pytest.fixture
def recipe(tiny_changes: list[str]) -> Callable[..., Recipe]:
    def make(*changes: str) -> Recipe:
        return build(Recipe, read_tables(ROOT / "conf.toml", "cpu", [*tiny_changes, *changes]))

    return make


def test_by_hand_for_the_base_variant(recipe: Callable[..., Recipe]) -> None:
    """9 frames of 24 px: 3 latents of 16 channels at 3 x 3 places."""
    size = bank_bytes(recipe("data.training_clips=100", "data.validation_clips=7", "reference.source=taehv:w.pth"))
    assert size.training == 100 * 15_552  # 9 * 3 * 24 * 24
    assert size.training_latents == 100 * 1_728  # 3 * 16 * 3 * 3 * 4 bytes
    assert size.validation == 7 * 15_552
    assert size.validation_round_trip == 7 * 62_208
    assert size.fit == 0
    assert size.on_disk == size.while_built == 1_555_200 + 172_800 + 108_864 + 435_456
    assert size.in_training(torch.float32) == 1_555_200 + 172_800
    assert size.in_training(torch.bfloat16) == 1_555_200 + 86_400


def test_strides_and_channels_are_those_of_the_variant(recipe: Callable[..., Recipe]) -> None:
    """17 frames of 64 px: LTX makes 3 latents of 128 channels at 2 x 2 places, Wan 2.2 makes 5 of 48 at 4 x 4."""
    changes = ("data.frames=17", "data.crop_px=64", "data.short_side_px=96", "reference.source=taehv:w.pth")
    assert bank_bytes(recipe(*changes, "network.variant=ltx")).training_latents == 8 * 3 * 128 * 2 * 2 * 4
    assert bank_bytes(recipe(*changes, "network.variant=wan22")).training_latents == 8 * 5 * 48 * 4 * 4 * 4


def test_a_fitted_reference_needs_room_before_there_are_latents(recipe: Callable[..., Recipe]) -> None:
    """8 clips of 3 * 3 * 3 patches of 4 * 3 * 8 * 8 values in float64, and five matrices of 216 x 216."""
    size = bank_bytes(recipe())
    assert size.fit == 8 * 27 * 768 * 8 + 5 * 216 * 216 * 8
    assert size.while_built == size.training + size.validation + size.fit


def test_it_is_what_the_bank_has(recipe: Callable[..., Recipe]) -> None:
    settings = recipe()
    size, bank = bank_bytes(settings), build_bank(settings, torch.device("cpu"), [].append)
    assert size.training == bank.training.nbytes
    assert size.training_latents == bank.training_latents.nbytes
    assert size.validation == bank.validation.nbytes
    assert size.validation_round_trip == bank.validation_round_trip.nbytes
    names = sum(map(len, [*bank.validation_names, *bank.facts["training_names"]]))
    fitted = sum(tensor.nbytes for tensor in bank.reference.values())
    assert fitted == (768 + 2 * 768 * 16) * 4
    assert (
        names < bank.path.stat().st_size - size.on_disk - fitted < 32_768
    )  # the header, a row for each of 55 demo videos


def test_one_line_says_it(recipe: Callable[..., Recipe]) -> None:
    changes = ("data.training_clips=4096", "data.validation_clips=64", "data.crop_px=64", "data.short_side_px=160")
    line = state_size(recipe(*changes, "training.precision=bfloat16"))
    assert line == (
        "bank: 4096 training and 64 validation clips of 9x64x64 take 513.8 MiB on disk (clips 438.8 MiB, latents 48.0 MiB, "
        "round trips 27.0 MiB); at most 717.2 MiB of memory while it is built, decoding and the reference's own batch aside; "
        "456.0 MiB in training"
    )


def test_bytes_in_words() -> None:
    assert in_words(2**30 - 2**19) == "1023.5 MiB"
    assert in_words(2**30) == "1.0 GiB"
    assert in_words(1_610_612_736) == "1.5 GiB"
