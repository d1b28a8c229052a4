"""Which clips a step sees: a function of seed and step alone, so a resumed run needs no position but its step."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.recipe import Recipe

#: Keep the random streams of one seed apart. numpy pads short seeds with zeros, so all have the same length.
CLIP_STREAM, FRAME_STREAM = 0, 1


@dataclass(frozen=True)
class Batch:
    """What one step is a function of, on the device of the model.

    Attributes:
        video: clips, NTCHW float32 in [0, 1].
        latents: what the reference makes of them, NTCHW float32.
        perceptual_frames: int64 indices into the N * T frames that the perceptual loss sees.
    """

    video: Tensor
    latents: Tensor
    perceptual_frames: Tensor


def take_batch(bank: Bank, step: int, recipe: Recipe, device: torch.device) -> Batch:
    """Return the batch of the step that follows `step` finished ones, on `device`."""
    seed = recipe.training.seed
    clips = clip_indices(step, len(bank.training), recipe.training.batch_size, seed).to(bank.training.device)
    frames = frame_indices(step, len(clips) * bank.training.shape[1], recipe.losses.perceptual_frames, seed)
    return Batch(
        video=to_unit(bank.training[clips].to(device)),
        latents=bank.training_latents[clips].to(device),
        perceptual_frames=frames.to(device),
    )


def clip_indices(step: int, clips: int, batch_size: int, seed: int) -> Tensor:
    """Indices (int64) of a batch: each clip once per epoch in shuffled order; a batch may run over an epoch's end."""
    places = np.arange(step * batch_size, (step + 1) * batch_size)
    chosen = [
        permutation(clips, seed, int(epoch))[places[places // clips == epoch] % clips]
        for epoch in epochs(places, clips)
    ]
    return torch.from_numpy(np.concatenate(chosen))


def epochs(places: NDArray[np.int64], clips: int) -> NDArray[np.int64]:
    """Epochs that these places of the endless order of clips lie in."""
    return np.unique(places // clips)


# Two: a batch may run from one epoch into the next.
@functools.lru_cache(maxsize=2)
def permutation(clips: int, seed: int, epoch: int) -> NDArray[np.int64]:
    """The order of the clips in one epoch."""
    return np.random.default_rng((seed, CLIP_STREAM, epoch)).permutation(clips)


def frame_indices(step: int, frames: int, wanted: int, seed: int) -> Tensor:
    """Indices (int64) of `wanted` different frames of a batch, or of all when there are no more than that."""
    if wanted >= frames:
        return torch.arange(frames)
    return torch.from_numpy(np.random.default_rng((seed, FRAME_STREAM, step)).choice(frames, wanted, replace=False))
