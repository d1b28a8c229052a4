"""Pictures that show at a glance what a reconstruction gets wrong."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.data.pixels import to_bytes, to_unit

#: The difference is drawn as grey + 4 · (reconstruction - input): at 4 an error of 1 % is just visible on a screen.
DIFFERENCE_GAIN = 4
#: Small crops are enlarged by a whole factor to at least this side, so that a 32 px crop can be read.
SMALLEST_SIDE_PX = 96
GAP_PX = 4


def strip(targets: Tensor, outputs: Tensor, count: int) -> NDArray[np.uint8]:
    """Draw one row per clip: input | reconstruction | difference of its first, middle and last frame.

    The difference is four times amplified: grey where nothing differs, brighter where the reconstruction is too bright.

    Args:
        targets: uint8 NTCHW.
        outputs: float NTCHW, raw or clamped, on any device.
        count: clips to draw, from the first; at least one, at most all are drawn.

    Returns:
        uint8 HWC, white between the groups of three.
    """
    assert targets.shape == outputs.shape, (targets.shape, outputs.shape)
    targets, outputs = to_unit(targets[:count].cpu()), outputs[:count].detach().cpu().float().clamp(0, 1)
    differences = 0.5 + DIFFERENCE_GAIN * (outputs - targets)
    frames = sorted({0, targets.shape[1] // 2, targets.shape[1] - 1})
    triples = torch.cat([targets, outputs, differences], dim=-1)[:, frames]  # NTCHW, the three side by side
    factor = -(-SMALLEST_SIDE_PX // min(targets.shape[-2:]))
    large = triples.repeat_interleave(factor, dim=-2).repeat_interleave(factor, dim=-1)
    framed = torch.nn.functional.pad(large, (0, GAP_PX, 0, GAP_PX), value=1.0)
    clips, times, channels, height, width = framed.shape
    picture = framed.permute(0, 3, 1, 4, 2).reshape(clips * height, times * width, channels)
    pixels: NDArray[np.uint8] = to_bytes(picture[:-GAP_PX, :-GAP_PX]).numpy()
    return pixels
