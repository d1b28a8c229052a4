"""Whether a training begins with the weights that it was told to begin with."""

import math
from pathlib import Path

import torch

from model.network.weights import read_weights
from model.preflight.report import StartCheck
from model.recipe import Recipe
from model.training.state import TrainState


def check_start(state: TrainState, recipe: Recipe) -> StartCheck | None:
    """Compare a fresh state's weights with the file of network.weights, tensor by tensor; None from scratch.

    A tensor that the file lacks, or has in another shape, counts with its whole norm.

    Raises:
        ValueError: the file cannot be read.
    """
    if not recipe.network.weights:
        return None
    file = read_weights(Path(recipe.network.weights))
    squares, differing = 0.0, 0
    tensors = state.model.state_dict()
    for name, tensor in tensors.items():
        start = tensor.detach().cpu().double()
        stored = file.get(name)
        # The model's own precision decides: a file in float64 loads rounded.
        same = stored is not None and stored.shape == start.shape
        wanted = stored.to(tensor.dtype).double() if stored is not None and same else torch.zeros_like(start)
        squares += float((start - wanted).square().sum())
        differing += not same or not torch.equal(start, wanted)
    norm = math.sqrt(sum(float(tensor.double().square().sum()) for tensor in file.values()))
    difference = math.sqrt(squares) / max(norm, torch.finfo(torch.float64).tiny)
    return StartCheck(recipe.network.weights, difference, differing, len(tensors))
