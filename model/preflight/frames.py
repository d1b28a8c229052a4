"""Frames that show a shift in time: which clips move, what entered the model, by how many frames two videos differ."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from model.bank import Bank
from model.evaluation.alignment import SHIFTS, best_frame_shift, shift_gains
from model.evaluation.psnr import psnr
from model.network.taehv import TAEHV

#: Clips among which the most moving ones are looked for: enough to find some, and 57 MB at 64 px.
CANDIDATES = 512

#: At its own shift a target is the frames themselves, but for rounding and for the frames that fall off an end (3 of 9 of one
#: clip in a hundred may differ by much); other pictures of the same mean and deviation reach 13 to 16 dB.
SMALLEST_FIT_DB = 20.0

#: Mean and deviation that videos are given before they are laid over each other: three deviations lie in [0, 1].
MEAN, STD = 0.5, 0.15


def most_moving(bank: Bank, count: int) -> Bank:
    """The bank with only those `count` training clips, among its first 512, whose frames differ most from one to the next."""
    clips = bank.training[:CANDIDATES].to(torch.int16)
    motion = (clips[:, 1:] - clips[:, :-1]).abs().float().mean(dim=(1, 2, 3, 4))
    chosen = motion.argsort(descending=True, stable=True)[:count]
    return replace(bank, training=bank.training[chosen], training_latents=bank.training_latents[chosen])


@contextmanager
def keep_input(model: TAEHV, kept: list[Tensor]) -> Iterator[None]:
    """While this is open, append every video that `model` encodes to `kept`, its clips one after the other: (N T)CHW.

    It is read at the first layer, so T may be larger than what was given: the encoder repeats the last frame to fill its
    last latent.
    """
    patch_size = model.architecture.patch_size

    def keep(_layer: torch.nn.Module, inputs: tuple[Tensor, ...]) -> None:
        kept.append(F.pixel_shuffle(inputs[0].detach(), patch_size))

    hook = model.encoder[0].register_forward_pre_hook(keep)
    try:
        yield
    finally:
        hook.remove()


def shift_between(video: Tensor, frames: Tensor) -> int | None:
    """By how many frames `video` is late against `frames`, both NTCHW of one size, whatever range each has.

    Both are brought to one mean and deviation first: a video that was also scaled wrongly still shows its shift. None where
    it shows other pictures altogether, so that no shift makes it fit.
    """
    gains = shift_gains(standardise(video), standardise(frames))
    shift = best_frame_shift(gains)
    fit_db = psnr(standardise(video), standardise(frames)).mean() + gains[:, SHIFTS.index(shift)].mean()
    return shift if fit_db > SMALLEST_FIT_DB else None


def standardise(video: Tensor) -> Tensor:
    """Bring values to mean 0.5 and deviation 0.15, within [0, 1]; a video of one value becomes grey."""
    std, mean = torch.std_mean(video.float(), correction=0)
    return ((video.float() - mean) / std.clamp_min(torch.finfo(torch.float32).tiny) * STD + MEAN).clamp(0, 1)
