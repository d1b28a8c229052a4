"""What the averaged weights make of the validation clips."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.evaluation.evaluation import evaluate
from model.evaluation.perceptual import Perceptual
from model.evaluation.strips import strip
from model.network.taehv import TAEHV
from model.recipe import Recipe
from model.training.measurement import Measurement


def add_scores(
    measurement: Measurement,
    average: TAEHV,
    recipe: Recipe,
    bank: Bank,
    perceptual: Perceptual | None,
    device: torch.device,
) -> Measurement:
    """Return the measurement with scores and strips of the averaged weights, in float32 whatever training uses."""

    def reconstruct(video: Tensor) -> Tensor:
        return average.decode(average.encode(video))

    scores = evaluate(reconstruct, bank.validation, bank.validation_names, recipe.evaluation, perceptual, device)
    return replace(
        measurement,
        values=measurement.values | scores.metrics(),
        scores=scores,
        picture=draw(reconstruct, bank.validation[: recipe.evaluation.pictures], device),
    )


def draw(reconstruct: Callable[[Tensor], Tensor], clips: Tensor, device: torch.device) -> NDArray[np.uint8] | None:
    """Return strips of some clips (uint8 NTCHW) and what becomes of them; None when there are no clips."""
    if not len(clips):
        return None
    with torch.inference_mode():
        outputs = reconstruct(to_unit(clips.to(device)))
    return strip(clips, outputs, len(clips))
