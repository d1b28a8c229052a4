import math

import pytest
import torch
from torch import nn

from model.network.blocks import MemoryBlock
from model.network.initialisation import BLOCK_GAINS, RELU_GAIN, RESIDUAL_GAIN
from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV


def network(variant: str, width: float = 1.0, initialisation: str = "signal") -> NetworkSettings:
    return NetworkSettings(
        variant=variant,
        latent_channels=0,
        patch_size=0,
        encoder_time_strides=(),
        decoder_time_strides=(),
        width=width,
        initialisation=initialisation,
        weights="",
    )


def test_convolutions_have_the_stated_spread() -> None:
    model = TAEHV(network("base"), seed=3)
    block = model.decoder[3]
    assert isinstance(block, MemoryBlock)
    for index, gain in zip((0, 2, 4), BLOCK_GAINS[MemoryBlock], strict=True):
        weight = block.conv[index].weight
        assert weight.std().item() == pytest.approx(gain / math.sqrt(weight[0].numel()), rel=0.02)
        assert block.conv[index].bias.abs().max() == 0
    assert BLOCK_GAINS[MemoryBlock] == (RELU_GAIN, RELU_GAIN, RESIDUAL_GAIN)


def contrast(model: TAEHV) -> float:
    """How much a fresh decoder's pictures of two latents differ; what only its biases make is the same in both."""
    latents = torch.randn(2, 3, model.latent_channels, 4, 4, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, other = model.decode(latents)
    return float((one - other).square().mean().sqrt())


@pytest.mark.parametrize("variant", ["base", "wan22", "ltx", "wan22_super"])
def test_a_fresh_network_passes_on_more_than_with_the_default_of_torch(variant: str) -> None:
    ours, torchs = (contrast(TAEHV(network(variant, 0.25, kind), seed=0)) for kind in ("signal", "torch"))
    assert ours > 2 * torchs
    assert 0.02 < ours < 0.5


def test_the_default_of_torch_is_its_default() -> None:
    model = TAEHV(network("base", 0.25, "torch"), seed=5)
    with torch.random.fork_rng():
        torch.manual_seed(5)
        first = nn.Conv2d(3, 16, 3, padding=1)
    assert torch.equal(model.encoder[0].weight, first.weight)


def test_no_colour_of_a_fresh_decoder_is_lost_to_the_clamp() -> None:
    for seed in range(20):
        model = TAEHV(network("base", 0.125, "torch" if seed % 2 else "signal"), seed)
        latents = torch.randn(1, 3, 16, 2, 2, generator=torch.Generator().manual_seed(seed))
        with torch.no_grad():
            inside = ((model.decode(latents) > 0) & (model.decode(latents) < 1)).float().mean((0, 1, 3, 4))
        assert inside.min() > 0.2
