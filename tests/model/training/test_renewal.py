from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.bank import Bank, build_bank
from model.data.clips import plan_clips
from model.data.crops import cut_clips, training_cuts
from model.data.pixels import to_unit
from model.network.reference import build_reference
from model.recipe import Recipe
from model.training.capture import Captures
from model.training.checkpoint import TRAINING
from model.training.loop import train
from model.training.renewal import Renewal

CPU = torch.device("cpu")


def silent(_line: str) -> None:
    pass


@pytest.fixture
def renewing(recipe: Callable[..., Recipe]) -> Callable[..., Recipe]:
    """Settings of four steps in two generations."""
    return lambda *changes: recipe("training.renew_every=2", "training.checkpoint_every=1", *changes)


def run(settings: Recipe, bank: Bank, folder: Path, stop: int = 0) -> None:
    steps = train(settings, bank, perceptual=None, device=CPU, folder=folder)
    for measurement in steps:
        # The checkpoint of a step is written when the next measurement is asked for.
        if measurement.step == stop + 1 and stop:
            steps.close()


def test_a_generation_is_cut_from_all_videos_and_encoded_by_the_reference_of_the_bank(
    renewing: Callable[..., Recipe],
) -> None:
    settings = renewing()
    bank = build_bank(settings, CPU, silent)
    renewal = Renewal(settings, bank, CPU)
    first, second = renewal.at(1), renewal.at(2)
    renewal.close()
    assert first is bank
    cuts = training_cuts(plan_clips(settings.data, silent).training_videos, settings.data, 1)
    clips = cut_clips(cuts, settings.data, workers=2)
    assert torch.equal(second.training, clips)
    assert not torch.equal(second.training, bank.training)
    reference = build_reference(settings.reference, settings.network, bank.training, CPU)
    torch.testing.assert_close(second.training_latents, reference.encode(to_unit(clips)))
    assert second.validation is bank.validation


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_an_interrupted_training_ends_with_the_same_bits(
    renewing: Callable[..., Recipe], tmp_path: Path, stop: int
) -> None:
    settings = renewing()
    bank = build_bank(settings, CPU, silent)
    run(settings, bank, tmp_path / "whole")
    run(settings, bank, tmp_path / "broken", stop)
    assert torch.load(tmp_path / "broken" / TRAINING, weights_only=True)["state"]["step"] == stop
    run(settings, bank, tmp_path / "broken")
    ours, theirs = (torch.load(tmp_path / name / TRAINING, weights_only=True) for name in ("broken", "whole"))
    torch.testing.assert_close(ours["state"], theirs["state"], rtol=0, atol=0)


def test_the_steps_of_the_first_generation_are_those_without_and_the_next_are_others(
    recipe: Callable[..., Recipe], renewing: Callable[..., Recipe]
) -> None:
    bank = build_bank(recipe(), CPU, silent)
    before = bank.training.clone()
    losses = [
        [step.values["loss/total"] for step in train(settings, bank, perceptual=None, device=CPU)]
        for settings in (recipe(), renewing())
    ]
    assert losses[0][:2] == losses[1][:2]
    assert losses[0][2] != losses[1][2]
    assert torch.equal(bank.training, before)  # a mapped file that processes share


def test_what_fails_beside_the_training_ends_it_at_the_swap(renewing: Callable[..., Recipe]) -> None:
    settings = renewing()
    bank = build_bank(settings, CPU, silent)
    renewal = Renewal(settings, bank, CPU)
    renewal.videos = tuple(
        replace(video, stored=replace(video.stored, path=Path("/nowhere.npy"))) for video in renewal.videos
    )
    renewal.at(1)
    with pytest.raises(OSError, match="nowhere"):
        renewal.at(2)
    renewal.close()


def test_other_videos_than_the_bank_has_are_refused(renewing: Callable[..., Recipe]) -> None:
    settings = renewing()
    bank = build_bank(settings, CPU, silent)
    with pytest.raises(ValueError, match="clips must be renewed from the videos of their bank, digest other"):
        Renewal(settings, replace(bank, digest="other"), CPU)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
# torch.compile asks for .grad of whatever it traces, and after an eager training there are tensors that are no leaf.
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor")
def test_captured_steps_see_the_same_generations_and_the_next_training_begins_anew(
    renewing: Callable[..., Recipe],
) -> None:
    cuda, captures = torch.device("cuda"), Captures()
    settings = renewing("training.probe_every=100")
    bank = build_bank(settings, CPU, silent)
    eager = renewing("training.execution=eager", "training.probe_every=100")
    expected, first, second = (
        [step.values["loss/total"] for step in train(asked, bank, perceptual=None, device=cuda, captures=captures)]
        for asked in (eager, settings, settings)
    )
    assert first == pytest.approx(expected, rel=1e-2)
    assert second == pytest.approx(first, rel=1e-3)
