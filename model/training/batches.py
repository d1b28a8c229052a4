"""Which clips a step sees: a function of seed and step alone, so a resumed run needs no position but its step."""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.network.critic import count_groups
from model.network.replay import CriticDraws, draw_for_critic
from model.ranks import ALONE, Ranks
from model.recipe import Recipe
from model.training.state import replay_capacity

#: Keep the random streams of one seed apart. numpy pads short seeds with zeros, so all have the same length.
CLIP_STREAM, FRAME_STREAM, CRITIC_STREAM = 0, 1, 2


@dataclass(frozen=True)
class Draws:
    """What chance decides in one step: all of it, on the CPU.

    Attributes:
        clips: int64 indices into the bank's training clips.
        perceptual_frames: int64 indices into the N * T frames of the batch that the perceptual loss sees.
        critic: rows of its replay ring and its coins.
    """

    clips: Tensor
    perceptual_frames: Tensor
    critic: CriticDraws


@dataclass(frozen=True)
class Batch:
    """What one step is a function of, on the device of the model.

    Attributes:
        video: clips, NTCHW float32 in [0, 1].
        latents: what the reference makes of them, NTCHW float32.
        perceptual_frames: int64 indices into the N * T frames that the perceptual loss sees.
        critic: what chance decides for the critic, of all ranks together.
        perceptual_share: what the mean over these frames counts in the mean over ranks, so that this is the mean over all
            frames that were drawn: they fall on the ranks as chance will have it.
    """

    video: Tensor
    latents: Tensor
    perceptual_frames: Tensor
    critic: CriticDraws
    perceptual_share: float = 1.0


def draw(step: int, clips: int, frames: int, recipe: Recipe) -> Draws:
    """Draw for the step that follows `step` finished ones, from a bank of `clips` training clips of `frames` frames."""
    seed, batch_size = recipe.training.seed, recipe.training.batch_size
    samples = batch_size * count_groups(frames, recipe.losses.critic_group_frames)
    return Draws(
        clips=clip_indices(step, clips, batch_size, seed),
        perceptual_frames=frame_indices(step, batch_size * frames, recipe.losses.perceptual_frames, seed),
        critic=draw_for_critic(
            step, samples, replay_capacity(recipe), np.random.default_rng((seed, CRITIC_STREAM, step))
        ),
    )


def take_batch(bank: Bank, step: int, recipe: Recipe, device: torch.device, ranks: Ranks = ALONE) -> Batch:
    """Return the batch of the step that follows `step` finished ones, on `device`; of several ranks this one's part."""
    draws = draw(step, len(bank.training), bank.training.shape[1], recipe)
    clips = draws.clips[ranks.slice_of(len(draws.clips))].to(bank.training.device)
    frames = own_frames(draws.perceptual_frames, len(draws.clips) * bank.training.shape[1], ranks)
    return Batch(
        video=to_unit(bank.training[clips].to(device)),
        latents=bank.training_latents[clips].to(device),
        perceptual_frames=frames.to(device),
        critic=CriticDraws(*(getattr(draws.critic, name).to(device) for name in ("written", "replayed", "is_fake"))),
        perceptual_share=len(frames) * ranks.count / len(draws.perceptual_frames),
    )


def own_frames(chosen: Tensor, frames: int, ranks: Ranks) -> Tensor:
    """Those of the chosen frames (int64, of `frames` in all) that lie in this rank's part, counted from its start."""
    own = ranks.slice_of(frames)
    return chosen[(chosen >= own.start) & (chosen < own.stop)] - own.start


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
