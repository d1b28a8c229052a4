from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.evaluation.baselines import baselines
from model.evaluation.evaluation import evaluate
from model.evaluation.perceptual import Perceptual
from model.evaluation.settings import EvaluationSettings
from model.evaluation.yardsticks import REFERENCE, measure_yardsticks

CPU = torch.device("cpu")


@pytest.fixture
def bank(clips: Tensor, names: tuple[str, ...]) -> Bank:
    """Validation clips whose round trips are each off by another amount, so that a mixed-up order shows."""
    noise = torch.randn(clips.shape, generator=torch.Generator().manual_seed(0))
    amount = torch.tensor([0.02, 0.1, 0.4]).view(-1, 1, 1, 1, 1)
    return Bank(
        training=clips[:0],
        training_latents=torch.zeros(0),
        validation=clips,
        validation_round_trip=to_unit(clips) + amount * noise,
        validation_names=names,
        digest="digest",
        facts={},
        path=Path("unused"),
    )


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_the_reference_is_scored_by_its_own_round_trip(
    bank: Bank, settings: EvaluationSettings, perceptual: Perceptual, batch_size: int
) -> None:
    chosen = settings.model_copy(update={"batch_size": batch_size})
    found = measure_yardsticks(bank, chosen, perceptual, CPU)[REFERENCE]
    # All clips in one batch: then the round trip that belongs to them is known without an order of batches.
    whole = settings.model_copy(update={"batch_size": len(bank.validation)})
    round_trip = bank.validation_round_trip
    wanted = evaluate(lambda _: round_trip, bank.validation, bank.validation_names, whole, perceptual, CPU)
    assert [clip.name for clip in found.clips] == list(bank.validation_names)
    for mine, theirs in zip(found.clips, wanted.clips, strict=True):
        assert mine.psnr == pytest.approx(theirs.psnr, abs=1e-4)
        assert mine.ssim == pytest.approx(theirs.ssim, abs=1e-5)
        assert mine.lpips == pytest.approx(theirs.lpips, abs=1e-5)
    # The noise clips at 0 and 1, so these are near but not at 34, 20 and 8 dB.
    assert [clip.psnr for clip in found.clips] == pytest.approx([34, 20, 8], abs=2.5)


def test_the_trivial_outputs_stand_beside_it(bank: Bank, settings: EvaluationSettings) -> None:
    found = measure_yardsticks(bank, settings, None, CPU)
    trivial = baselines(bank.validation, bank.validation_names, settings, None, CPU)
    assert list(found) == [*trivial, REFERENCE]
    assert {name: found[name] for name in trivial} == trivial


def test_a_perfect_reference_reaches_the_highest_score(bank: Bank, settings: EvaluationSettings) -> None:
    perfect = replace(bank, validation_round_trip=to_unit(bank.validation))
    found = measure_yardsticks(perfect, settings, None, CPU)
    assert found[REFERENCE].ssim == pytest.approx(1, abs=1e-6)
    assert all(found[REFERENCE].score > scores.score for name, scores in found.items() if name != REFERENCE)
