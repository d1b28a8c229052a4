"""What a score must be compared with: outputs that need no model, and the reference's own round trip."""

import torch
from torch import Tensor

from model.bank import Bank
from model.evaluation.baselines import baselines
from model.evaluation.evaluation import evaluate
from model.evaluation.perceptual import Perceptual
from model.evaluation.scores import Scores
from model.evaluation.settings import EvaluationSettings

REFERENCE = "reference"


def measure_yardsticks(
    bank: Bank, settings: EvaluationSettings, perceptual: Perceptual | None, device: torch.device
) -> dict[str, Scores]:
    """Score the trivial baselines and the reference's round trip on the bank's validation clips."""
    results = baselines(bank.validation, bank.validation_names, settings, perceptual, device)
    round_trips = iter(bank.validation_round_trip.split(settings.batch_size))

    def recall(_video: Tensor) -> Tensor:
        """`evaluate` asks for the batches in their order, so the stored round trips come in that order."""
        return next(round_trips).to(device)

    reference = evaluate(recall, bank.validation, bank.validation_names, settings, perceptual, device)
    return results | {REFERENCE: reference}
