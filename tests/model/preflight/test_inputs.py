from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.network.taehv import TAEHV
from model.preflight.inputs import check_evaluation_input, check_training_input
from model.recipe import Recipe
from model.training.batches import clip_indices
from model.training.state import TrainState

CPU = torch.device("cpu")


def test_sound_frames_are_seen_as_they_lie_in_the_bank(
    state: TrainState, recipe: Callable[..., Recipe], bank: Bank
) -> None:
    # Eight batches of two clips are the sixteen clips of the bank, each once; the encoder repeats their last frames, which
    # moves the mean a little.
    seen = check_training_input(state, recipe(), bank, CPU)
    frames = to_unit(bank.training)
    assert (seen.range.minimum, seen.range.maximum) == (frames.min(), frames.max())
    assert seen.range.mean == pytest.approx(frames.mean().item(), rel=2e-2)
    assert seen.range.std == pytest.approx(frames.std().item(), rel=2e-2)
    scored = to_unit(bank.validation)
    found = check_evaluation_input(state, recipe("evaluation.pictures=0"), bank, CPU)
    assert (found.range.minimum, found.range.maximum) == (scored.min(), scored.max())
    assert found.range.mean == pytest.approx(scored.mean().item(), rel=2e-2)
    assert seen.difference == found.difference == 0


def test_other_frames_differ_by_their_root_mean_square(
    state: TrainState, recipe: Callable[..., Recipe], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Brighter by 0.1 is an RMS of 0.1, over the root of the mean variance of the batches."""
    monkeypatch.setattr("model.training.batches.to_unit", lambda pixels: to_unit(pixels) + 0.1)
    batches = [to_unit(bank.training[clip_indices(step, 16, 2, recipe().training.seed)]) for step in range(8)]
    variance = sum(batch.var(correction=0).item() for batch in batches) / 8
    found = check_training_input(state, recipe(), bank, CPU)
    assert found.difference == pytest.approx(0.1 / variance**0.5, rel=1e-4)
    assert check_evaluation_input(state, recipe(), bank, CPU).difference == 0


def test_a_second_division_shows_on_the_side_where_it_is(
    state: TrainState, recipe: Callable[..., Recipe], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.training.batches.to_unit", lambda pixels: to_unit(pixels) / 255)
    assert 0.002 < check_training_input(state, recipe(), bank, CPU).range.maximum <= 1 / 255
    assert check_evaluation_input(state, recipe(), bank, CPU).range.maximum > 0.5


def test_signed_frames_show_in_the_evaluation(
    state: TrainState, recipe: Callable[..., Recipe], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.evaluation.evaluation.to_unit", lambda pixels: 2 * to_unit(pixels) - 1)
    assert check_evaluation_input(state, recipe(), bank, CPU).range.minimum < -0.5
    assert check_training_input(state, recipe(), bank, CPU).range.minimum >= 0


def test_a_fault_behind_the_batch_shows_too(
    state: TrainState, recipe: Callable[..., Recipe], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    encode = TAEHV.encode

    def encode_doubled(self: TAEHV, video: Tensor) -> Tensor:
        return encode(self, 2 * video)

    monkeypatch.setattr(TAEHV, "encode", encode_doubled)
    assert check_training_input(state, recipe(), bank, CPU).range.maximum > 1.5
