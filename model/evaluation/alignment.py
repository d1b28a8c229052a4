"""By how many frames a reconstruction is late."""

import torch
from torch import Tensor

from model.evaluation.psnr import psnr

#: Shifts that are tried, the smallest first. The known mistake is 3: the frames that a TAEHV decoder trims.
SHIFTS = (0, 1, -1, 2, -2, 3, -3, 4, -4)
#: Gain in dB from which a shift counts. A wrong frame of a slow pan costs 8 dB; still clips and blur differ around 0.
SMALLEST_GAIN_DB = 0.5


def shift_gains(output: Tensor, target: Tensor) -> Tensor:
    """How much better each clip's output fits when it is taken to be late by each of SHIFTS.

    The PSNR of output frame i + d against target frame i, less that of output frame i, over the same target frames i:
    frames that are easier than others favour no shift. The median over these frames: one broken frame favours none either.

    Args:
        output: float32 NTCHW.
        target: float32 NTCHW in [0, 1].

    Returns:
        float32 [N, 9] in dB; minus infinity where the clip is not longer than the shift.
    """
    frames = target.shape[1]
    unmoved = psnr(output, target)
    gains = torch.full((len(target), len(SHIFTS)), -torch.inf, device=target.device)
    for column, shift in enumerate(SHIFTS):
        if abs(shift) >= frames:
            continue
        first, last = max(-shift, 0), min(frames - shift, frames)
        moved = psnr(output[:, first + shift : last + shift], target[:, first:last])
        gains[:, column] = (moved - unmoved[:, first:last]).median(dim=1).values
    return gains


def best_frame_shift(gains: Tensor) -> int:
    """The shift with the largest mean gain over clips [N, 9]; d > 0: output frame i + d shows clip frame i.

    0 when no shift gains at least 0.5 dB.
    """
    mean_gains = gains.mean(dim=0)
    best = int(mean_gains.argmax())
    return SHIFTS[best] if mean_gains[best] >= SMALLEST_GAIN_DB else 0
