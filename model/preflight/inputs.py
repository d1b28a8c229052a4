"""What enters the model in training and in evaluation, on the ways that both really take."""

import torch
from torch import Tensor

from model.bank import Bank
from model.preflight.ranges import pool
from model.preflight.report import TensorRange
from model.recipe import Recipe
from model.settings import change
from model.training.batches import take_batch
from model.training.inputs import watch_input
from model.training.measurement import Measurement
from model.training.state import TrainState
from model.training.step import run_forward
from model.training.validation import add_scores

#: A batch of dark clips must not pass for dark data: eight batches of four clips show what a source looks like.
BATCHES = 8


def check_training_input(state: TrainState, recipe: Recipe, bank: Bank, device: torch.device) -> TensorRange:
    """The range of what the first batches of a training put into the model."""
    seen: list[Tensor] = []
    with watch_input(state.model, seen):
        for step in range(BATCHES):
            run_forward(state, take_batch(bank, step, recipe, device), recipe, None, names=())
    return pool(seen)


def check_evaluation_input(state: TrainState, recipe: Recipe, bank: Bank, device: torch.device) -> TensorRange:
    """The range of what scoring the validation clips puts into the model; LPIPS looks at outputs only and is left out."""
    scored = change(
        recipe, {"evaluation.pictures": 0}
    )  # pictures take a path of their own, and no score comes from them
    seen: list[Tensor] = []
    with watch_input(state.average, seen):
        add_scores(Measurement(0, {}), state.average, scored, bank, None, device)
    return pool(seen)
