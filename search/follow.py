"""What every rank but the first does in a training of several processes: its part of each step, and nothing else."""

import contextlib
from dataclasses import dataclass
from pathlib import Path

import torch

from model.bank import load_bank
from model.cli import InterruptedWorkError
from model.evaluation.perceptual import load_perceptual
from model.ranks import Ranks
from model.recipe import Recipe
from model.training.device import resolve_device
from model.training.loop import train
from model.training.step import NonFiniteError
from search.signals import StopRequest, stop_on_signal


@dataclass(frozen=True)
class Start:
    """What the first rank tells the others when its preparations are done.

    Attributes:
        recipe: of the training.
        bank: its file.
        perceptual: whether LPIPS is to be had.
        folder: of the training, where a checkpoint may lie.
        evaluate_at: steps that the first rank evaluates besides those of the recipe.
    """

    recipe: Recipe
    bank: Path
    perceptual: bool
    folder: Path
    evaluate_at: tuple[int, ...] = ()


#: What the first rank tells the others when the training was found done.
NOTHING_TO_TRAIN = None


def follow(ranks: Ranks) -> bool:
    """Wait for the first rank's word, train with it, and leave after it; whether the training came to its end.

    A rank that left before the first one would have torchrun end that one, which may still be writing the record.

    Raises:
        LostRankError: the first rank, or another one, is gone.
    """
    with stop_on_signal() as stop:
        start: Start | None = ranks.tell(None)
        complete = start is NOTHING_TO_TRAIN or take_part(ranks, start, stop)
        ranks.wait()
    return complete


def take_part(ranks: Ranks, start: Start, stop: StopRequest) -> bool:
    """Take this rank's part of all steps; whether the last one was reached."""
    recipe, device = start.recipe, resolve_device(start.recipe.training.device)
    perceptual = load_perceptual(recipe.evaluation.lpips, device) if start.perceptual else None
    bank = load_bank(start.bank)
    steps = train(
        recipe,
        bank,
        perceptual=perceptual,
        device=device,
        folder=start.folder,
        ranks=ranks,
        evaluate_at=start.evaluate_at,
    )
    try:
        with contextlib.closing(steps):
            return not any(ranks.any(bool(stop)) for _ in steps)
    except NonFiniteError:  # the first rank meets the same and says it
        return False


def leave_together(error: BaseException, ranks: Ranks, *known: type[Exception]) -> None:
    """Have the first rank, whose training ended with an error, meet the others, where these come to the same end.

    Args:
        error: that ended the training.
        ranks: that trained.
        known: further errors whose end the others have come to as well.
    """
    if isinstance(error, NonFiniteError) and error.of_evaluation:
        ranks.any(True)  # the others are where they ask for a stop
    if isinstance(error, (InterruptedWorkError, NonFiniteError, *known)):
        ranks.wait()  # torchrun would end all as soon as one has left


def describe_division(recipe: Recipe, device: torch.device, ranks: Ranks) -> str:
    """Say in one line how a training is divided, and what is other than with one process."""
    batch_size, count = recipe.training.batch_size, ranks.count
    captured = recipe.training.execution == "auto" and device.type == "cuda"
    eager = '; steps are eager (training.execution = "auto"): a captured step is of one process' if captured else ""
    return f"{count} processes: each takes {batch_size // count} of the {batch_size} clips of a batch{eager}"
