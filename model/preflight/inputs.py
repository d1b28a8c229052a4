"""What enters the model in training and in evaluation, against the frames that the bank holds."""

from collections.abc import Sequence

import torch
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.preflight.frames import keep_input
from model.preflight.ranges import pool
from model.preflight.report import InputCheck
from model.recipe import Recipe
from model.settings import change
from model.training.batches import clip_indices, take_batch
from model.training.inputs import moments
from model.training.measurement import Measurement
from model.training.state import TrainState
from model.training.step import run_forward
from model.training.validation import add_scores

#: Training batches that are looked at.
BATCHES = 8


def check_training_input(state: TrainState, recipe: Recipe, bank: Bank, device: torch.device) -> InputCheck:
    """What the first batches of a training put into the model."""
    entered: list[Tensor] = []
    with keep_input(state.model, entered):
        for step in range(BATCHES):
            run_forward(state, take_batch(bank, step, recipe, device), recipe, None, names=())
    size, seed = recipe.training.batch_size, recipe.training.seed
    return compare(
        entered, [bank.training[clip_indices(step, len(bank.training), size, seed)] for step in range(BATCHES)]
    )


def check_evaluation_input(state: TrainState, recipe: Recipe, bank: Bank, device: torch.device) -> InputCheck:
    """What scoring the validation clips puts into the model; LPIPS looks at outputs only and is left out."""
    scored = change(
        recipe, {"evaluation.pictures": 0}
    )  # pictures take a path of their own, and no score comes from them
    entered: list[Tensor] = []
    with keep_input(state.average, entered):
        add_scores(Measurement(0, {}), state.average, scored, bank, None, device)
    return compare(entered, bank.validation.split(recipe.evaluation.batch_size))


def compare(entered: Sequence[Tensor], stored: Sequence[Tensor]) -> InputCheck:
    """Range of what entered, (N T)CHW, and how far it is from the clips (uint8 NTCHW) that should have, batch by batch."""
    assert len(entered) == len(stored), f"{len(stored)} batches entered the model {len(entered)} times"
    squares, variances = [], []
    for frames, clips in zip(entered, stored, strict=True):
        wanted = to_unit(clips.to(frames.device))
        video = frames.float().unflatten(0, (len(clips), -1))
        shared = min(video.shape[1], wanted.shape[1])  # without the repeated frames at the end
        squares.append((video[:, :shared] - wanted[:, :shared]).square().mean())
        variances.append(wanted.var(correction=0))
    spread = torch.stack(variances).mean().clamp_min(torch.finfo(torch.float32).tiny)
    difference = float((torch.stack(squares).mean() / spread).sqrt())
    return InputCheck(pool([moments(frames) for frames in entered]), difference)
