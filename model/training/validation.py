"""What the averaged weights make of the validation clips."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.evaluation.evaluation import NonFiniteOutputError, evaluate
from model.evaluation.film import write_film
from model.evaluation.perceptual import Perceptual
from model.evaluation.scores import Scores
from model.evaluation.strips import strip
from model.network.taehv import TAEHV
from model.recipe import Recipe
from model.training.measurement import Measurement
from model.training.step import NonFiniteError

#: Clips that are drawn of either end of the ranking by PSNR.
EXTREMES = 2
FILM = Path("checkpoint", "clips.mp4")


def add_scores(
    measurement: Measurement,
    average: TAEHV,
    recipe: Recipe,
    bank: Bank,
    perceptual: Perceptual | None,
    device: torch.device,
) -> Measurement:
    """Return the measurement with scores and strips of the averaged weights, in float32 whatever training uses.

    Raises:
        NonFiniteError: the weights have diverged so far that their output is no picture.
    """

    def reconstruct(video: Tensor) -> Tensor:
        return average.decode(average.encode(video))

    try:
        scores = evaluate(reconstruct, bank.validation, bank.validation_names, recipe.evaluation, perceptual, device)
    except NonFiniteOutputError as error:
        step = measurement.step
        raise NonFiniteError(f"evaluating step {step}: {error}", step, of_evaluation=True) from error
    return replace(
        measurement,
        values=measurement.values | scores.metrics(),
        scores=scores,
        picture=draw(reconstruct, bank.validation[: recipe.evaluation.pictures], device),
        extremes=draw(reconstruct, bank.validation[extremes(scores)], device)
        if recipe.evaluation.pictures and measurement.step == recipe.training.steps
        else None,
    )


def save_film(average: TAEHV, recipe: Recipe, bank: Bank, folder: Path, device: torch.device) -> None:
    """Write checkpoint/clips.mp4 in a run's folder: the first validation clips beside what the averaged weights make of them.

    It lies with the weights, so that it is kept and dropped with them; none where no pictures are wanted.

    Raises:
        OSError: the folder cannot be written.
    """
    clips = bank.validation[: recipe.evaluation.pictures]
    if len(clips):
        with torch.inference_mode():
            outputs = average.decode(average.encode(to_unit(clips.to(device))))
        write_film(folder / FILM, clips, outputs)


def extremes(scores: Scores) -> list[int]:
    """The places of the clips with the lowest PSNR and with the highest, from the worst to the best; none twice."""
    by_psnr = sorted(range(len(scores.clips)), key=lambda index: scores.clips[index].psnr)
    return by_psnr if len(by_psnr) <= 2 * EXTREMES else by_psnr[:EXTREMES] + by_psnr[-EXTREMES:]


def draw(reconstruct: Callable[[Tensor], Tensor], clips: Tensor, device: torch.device) -> NDArray[np.uint8] | None:
    """Return strips of some clips (uint8 NTCHW) and what becomes of them; None when there are no clips."""
    if not len(clips):
        return None
    with torch.inference_mode():
        outputs = reconstruct(to_unit(clips.to(device)))
    return strip(clips, outputs, len(clips))
