"""The weights that a TAEHV starts from when it is trained from scratch."""

from math import sqrt

import torch
from torch import nn

from model.network.blocks import MemoryBlock, SuperMemoryBlock

#: Gain of a convolution whose output goes through a ReLU: it keeps the variance (He et al. 2015, arXiv:1502.01852).
RELU_GAIN = sqrt(2)

#: Gain of the last convolution of a residual branch: nearly the identity, so that a fresh network passes on what it sees
#: (the idea of Zhang et al. 2019, arXiv:1901.09321). 0.1 was better than 0.3 (docs/LOG.md).
RESIDUAL_GAIN = 0.1

#: Gain of the convolution that makes the picture: a start near grey with little noise in it.
PICTURE_GAIN = 0.3

#: Gains of the convolutions of a block, in their order; any other convolution has gain 1.
BLOCK_GAINS: dict[type[nn.Module], tuple[float, ...]] = {
    MemoryBlock: (RELU_GAIN, RELU_GAIN, RESIDUAL_GAIN),
    SuperMemoryBlock: (1.0, RELU_GAIN, RESIDUAL_GAIN),
}


def pass_signals_on(encoder: nn.Sequential, decoder: nn.Sequential, seed: int) -> None:
    """Draw all weights in place so that convolutions and blocks pass signals on at about their size.

    torch's default shrinks them in each convolution between the blocks; a short training of a narrow network then spends
    its steps on growing weights. At full width it is no gain (docs/decisions/0007-initialisation.md).
    """
    generator = torch.Generator().manual_seed(seed)
    for layer in (*encoder, *decoder):
        convolutions = [module for module in layer.modules() if isinstance(module, nn.Conv2d)]
        gains = BLOCK_GAINS.get(type(layer), (1.0,) * len(convolutions))
        for convolution, gain in zip(convolutions, gains, strict=True):
            draw(convolution, gain, generator)
    with torch.no_grad():
        last_convolution(decoder).weight.mul_(PICTURE_GAIN)


def start_grey(decoder: nn.Sequential) -> None:
    """Give the picture's bias 0.5: from 0 all three colours start below 0 for 3 % of the seeds, and a clamp loses them."""
    bias = last_convolution(decoder).bias
    assert bias is not None
    nn.init.constant_(bias, 0.5)


def last_convolution(decoder: nn.Sequential) -> nn.Conv2d:
    """The convolution that makes the picture."""
    picture = decoder[-1]
    assert isinstance(picture, nn.Conv2d)
    return picture


def draw(convolution: nn.Conv2d, gain: float, generator: torch.Generator) -> None:
    """Draw weights of variance gain² / fan-in; biases are 0."""
    with torch.no_grad():
        fan_in = convolution.weight[0].numel()
        convolution.weight.normal_(0, gain / sqrt(fan_in), generator=generator)
        if convolution.bias is not None:
            convolution.bias.zero_()
