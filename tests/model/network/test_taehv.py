from collections.abc import Callable

import pytest
import torch
from torch import nn

from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV, check_length, check_size


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("variant", "encoder", "decoder", "keys"),
    [
        ("base", 1_470_928, 9_844_611, 128),
        ("cogvideox", 1_470_928, 9_844_611, 128),
        ("wan22", 1_494_576, 9_923_532, 128),
        ("hunyuan15", 1_485_344, 9_886_668, 128),
        ("h3", 1_480_728, 9_868_236, 128),
        ("ltx", 1_565_568, 10_194_160, 128),
        ("wan22_super", 1_494_576, 18_993_420, 112),
        ("hunyuan15_super", 1_485_344, 18_985_228, 112),
    ],
)
def test_parameters_and_keys_are_those_of_the_released_weights(
    network: Callable[..., NetworkSettings], variant: str, encoder: int, decoder: int, keys: int
) -> None:
    with torch.device("meta"):
        model = TAEHV(network(variant, width=1.0))
    assert (count(model.encoder), count(model.decoder)) == (encoder, decoder)
    assert len(model.state_dict()) == keys


def test_key_names_and_shapes_of_the_released_base_weights(network: Callable[..., NetworkSettings]) -> None:
    with torch.device("meta"):
        state = TAEHV(network(width=1.0)).state_dict()
    shapes = {
        "encoder.0.weight": (64, 3, 3, 3),
        "encoder.2.conv.weight": (64, 128, 1, 1),
        "encoder.4.conv.0.weight": (64, 128, 3, 3),
        "encoder.12.conv.weight": (64, 64, 1, 1),
        "encoder.16.conv.4.bias": (64,),
        "encoder.17.weight": (16, 64, 3, 3),
        "decoder.1.weight": (256, 16, 3, 3),
        "decoder.3.conv.0.weight": (256, 512, 3, 3),
        "decoder.7.conv.weight": (256, 256, 1, 1),
        "decoder.8.weight": (128, 256, 3, 3),
        "decoder.13.conv.weight": (256, 128, 1, 1),
        "decoder.14.weight": (64, 128, 3, 3),
        "decoder.19.conv.weight": (128, 64, 1, 1),
        "decoder.20.weight": (64, 64, 3, 3),
        "decoder.22.weight": (3, 64, 3, 3),
        "decoder.22.bias": (3,),
    }
    assert {key: tuple(state[key].shape) for key in shapes} == shapes
    assert "decoder.8.bias" not in state


def test_key_names_of_the_super_decoder(network: Callable[..., NetworkSettings]) -> None:
    with torch.device("meta"):
        state = TAEHV(network("wan22_super", width=1.0)).state_dict()
    shapes = {
        "decoder.0.weight": (512, 48, 1, 1),
        "decoder.1.conv.0.weight": (1024, 1, 7, 7),
        "decoder.1.conv.1.bias": (2048,),
        "decoder.1.conv.3.weight": (512, 2048, 1, 1),
        "decoder.4.weight": (1024, 512, 3, 3),
        "decoder.7.conv.weight": (256, 256, 1, 1),
        "decoder.14.conv.weight": (256, 128, 1, 1),
        "decoder.22.weight": (12, 64, 3, 3),
    }
    assert {key: tuple(state[key].shape) for key in shapes} == shapes
    assert not {"decoder.0.bias", "decoder.1.conv.0.bias", "decoder.1.conv.3.bias"} & set(state)


@pytest.mark.parametrize(
    ("variant", "frames", "latents", "out"),
    [
        *(
            ("base", *row)
            for row in ((1, 1, 1), (5, 2, 5), (8, 2, 5), (9, 3, 9), (12, 3, 9), (13, 4, 13), (16, 4, 13), (17, 5, 17))
        ),
        *(("cogvideox", *row) for row in ((5, 2, 8), (8, 2, 8), (12, 3, 9), (13, 4, 16), (16, 4, 16), (17, 5, 17))),
        *(("ltx", *row) for row in ((8, 1, 1), (9, 2, 9), (16, 2, 9), (17, 3, 17), (33, 5, 33))),
        ("wan22_super", 9, 3, 9),
    ],
)
def test_frame_arithmetic(
    network: Callable[..., NetworkSettings], variant: str, frames: int, latents: int, out: int
) -> None:
    model = TAEHV(network(variant, width=1 / 64))
    px = model.space_stride
    with torch.no_grad():
        encoded = model.encode(torch.rand(2, frames, 3, px, 2 * px))
        decoded = model.decode(encoded)
    assert encoded.shape == (2, latents, model.latent_channels, 1, 2)
    assert decoded.shape == (2, out, 3, px, 2 * px)


@pytest.mark.parametrize("frames", [9, 10, 12])
def test_the_form_for_the_compiler_is_the_same(network: Callable[..., NetworkSettings], frames: int) -> None:
    """There the last frame is repeated before all layers, and not before the first one that mixes frames."""
    model, generator = TAEHV(network("base", width=1 / 16)).double(), torch.Generator().manual_seed(0)
    video = torch.rand(2, frames, 3, 16, 16, generator=generator, dtype=torch.float64)
    compiled = torch.compile(model.encode, backend="eager", fullgraph=True)
    with torch.no_grad():
        torch.testing.assert_close(compiled(video), model.encode(video))


@pytest.mark.parametrize("variant", ["base", "ltx", "hunyuan15_super"])
def test_time_runs_one_way(network: Callable[..., NetworkSettings], variant: str) -> None:
    """Frame t reaches the latents from t // stride on; latent k reaches the frames from stride * k - (stride - 1) on."""
    model, generator = TAEHV(network(variant)), torch.Generator().manual_seed(0)
    stride, px = model.time_stride, model.space_stride
    video = torch.rand(1, 17, 3, px, px, generator=generator)
    with torch.no_grad():
        latents = model.encode(video)
        frames = model.decode(latents)
        for t in (0, 5, 11):
            changed = video.clone()
            changed[:, t] = 1 - changed[:, t]
            assert first_difference(latents, model.encode(changed)) == t // stride
        for k in range(1, latents.shape[1]):
            changed = latents.clone()
            changed[:, k] += 1
            assert first_difference(frames, model.decode(changed)) == stride * (k - 1) + 1


def first_difference(before: torch.Tensor, after: torch.Tensor) -> int:
    return int((before != after).flatten(2).any(2).any(0).nonzero()[0])


def test_clips_of_a_batch_do_not_mix(network: Callable[..., NetworkSettings]) -> None:
    model = TAEHV(network())
    video = torch.rand(2, 9, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        together = model.decode(model.encode(video))
        alone = model.decode(model.encode(video[1:]))
    torch.testing.assert_close(together[1:], alone, atol=1e-5, rtol=0)


def test_the_seed_decides_the_weights_and_the_global_random_state_is_left_alone(
    network: Callable[..., NetworkSettings],
) -> None:
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    first, again, other = TAEHV(network(), seed=1), TAEHV(network(), seed=1), TAEHV(network(), seed=2)
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert not torch.equal(first.state_dict()["encoder.0.weight"], other.state_dict()["encoder.0.weight"])


def test_from_scratch_the_output_is_grey_and_not_clamped(network: Callable[..., NetworkSettings]) -> None:
    model = TAEHV(network())
    bias = model.get_parameter("decoder.22.bias")
    assert bias.tolist() == [0.5, 0.5, 0.5]
    with torch.no_grad():
        bias.fill_(-5)
        assert model.decode(torch.zeros(1, 1, 16, 2, 2)).max() < -1


@pytest.mark.parametrize("frames", [1, 9, 17, 33])
def test_good_lengths(frames: int) -> None:
    check_length(frames)


@pytest.mark.parametrize(("frames", "nearest"), [(12, "9 or 17"), (8, "1 or 9"), (16, "9 or 17"), (0, "take 1")])
def test_other_lengths_are_refused_with_the_nearest_good_ones(frames: int, nearest: str) -> None:
    with pytest.raises(ValueError, match=f"8k\\+1 frames, but has {frames}; .*{nearest}"):
        check_length(frames)


def test_sizes_that_latents_cannot_cover_are_refused(network: Callable[..., NetworkSettings]) -> None:
    check_size(64, 32, 32)
    with pytest.raises(ValueError, match=r"multiples of 32 px for this variant, but are 48 x 100; take .* x 96"):
        check_size(48, 100, 32)
    with pytest.raises(ValueError, match="take 16 x 16"):
        TAEHV(network()).encode(torch.zeros(1, 1, 3, 17, 16))
