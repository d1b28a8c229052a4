"""Scores of the weights in a file."""

from pathlib import Path

from model.evaluation.evaluation import evaluate
from model.evaluation.scores import Scores
from model.network.placement import place
from model.network.taehv import TAEHV
from model.network.weights import load_weights
from search.preparation import Preparation
from search.settings import Settings


def score_weights(weights: Path, settings: Settings, prepared: Preparation) -> Scores:
    """Load weights from their file and score them on the study's validation clips."""
    model = TAEHV(settings.network)
    load_weights(model, weights)
    place(model, prepared.device)
    bank = prepared.bank
    return evaluate(
        lambda video: model.decode(model.encode(video)),
        bank.validation,
        bank.validation_names,
        settings.evaluation,
        prepared.perceptual,
        prepared.device,
    )
