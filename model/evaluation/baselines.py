"""What trivial outputs score on the same clips: a network that does not beat them has learned nothing."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from model.evaluation.evaluation import Reconstruct, evaluate
from model.evaluation.perceptual import Perceptual
from model.evaluation.scores import Scores
from model.evaluation.settings import EvaluationSettings

#: Side of the blocks of the last baseline: the spatial stride of the base variant.
BLOCK_PX = 8


def baselines(
    clips: Tensor,
    names: Sequence[str],
    settings: EvaluationSettings,
    perceptual: Perceptual | None,
    device: torch.device | str,
) -> dict[str, Scores]:
    """Score the four trivial outputs; arguments and errors as of `evaluate`.

    Returns:
        by name: black (0), grey (0.5), mean_colour (of each frame), average_8x8 (of blocks of 8 x 8 px).
    """
    outputs: dict[str, Reconstruct] = {
        "black": torch.zeros_like,
        "grey": grey,
        "mean_colour": mean_colour,
        "average_8x8": average_8x8,
    }
    return {name: evaluate(output, clips, names, settings, perceptual, device) for name, output in outputs.items()}


def grey(video: Tensor) -> Tensor:
    """A video of the same shape that is 0.5 everywhere."""
    return torch.full_like(video, 0.5)


def mean_colour(video: Tensor) -> Tensor:
    """Every frame of NTCHW replaced by its own mean colour."""
    return video.mean(dim=(-2, -1), keepdim=True).expand_as(video)


def average_8x8(video: Tensor) -> Tensor:
    """Every block of 8 x 8 px of NTCHW replaced by its mean; the sides must be multiples of 8."""
    assert all(side % BLOCK_PX == 0 for side in video.shape[-2:]), video.shape
    means = F.avg_pool2d(video.flatten(0, 1), BLOCK_PX)
    return F.interpolate(means, scale_factor=BLOCK_PX, mode="nearest").view_as(video)
