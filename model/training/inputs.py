"""What really enters the model, seen at its first layer and not where somebody meant to prepare it."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from model.network.taehv import TAEHV
from model.ranks import Ranks

MOMENTS = ("min", "max", "mean", "std")


@contextmanager
def watch_input(model: TAEHV, seen: list[Tensor]) -> Iterator[None]:
    """While this is open, append the moments of every video that `model` encodes to `seen`.

    A moment is a float32 tensor of four on the model's device (MOMENTS): least and greatest value, mean, standard
    deviation. The patches that the first layer gets hold the same values as the video.
    """
    hook = model.encoder[0].register_forward_pre_hook(lambda _module, inputs: seen.append(moments(inputs[0])))
    try:
        yield
    finally:
        hook.remove()


def moments(values: Tensor) -> Tensor:
    """Least and greatest value, mean and standard deviation (population) of a tensor, float32, on its device."""
    numbers = values.detach().float()
    std, mean = torch.std_mean(numbers, correction=0)
    return torch.stack([numbers.amin(), numbers.amax(), mean, std])


def join_moments(own: Tensor, ranks: Ranks) -> Tensor:
    """The moments of the values of all ranks, each of which has as many of them."""
    if ranks.alone:
        return own
    least, greatest, means, stds = ranks.gather(own[None]).unbind(1)
    mean = means.mean()
    std = (stds.square() + (means - mean).square()).mean().sqrt()
    return torch.stack([least.amin(), greatest.amax(), mean, std])
