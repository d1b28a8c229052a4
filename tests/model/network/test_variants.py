from collections.abc import Callable
from typing import Any, get_args

import pytest

from model.network.settings import NetworkSettings
from model.network.variants import VARIANTS, architecture


@pytest.mark.parametrize(
    ("variant", "channels", "patch", "time_stride", "space_stride"),
    [
        ("base", 16, 1, 4, 8),
        ("cogvideox", 16, 1, 4, 8),
        ("wan22", 48, 2, 4, 16),
        ("hunyuan15", 32, 2, 4, 16),
        ("h3", 24, 2, 4, 16),
        ("ltx", 128, 4, 8, 32),
        ("wan22_super", 48, 2, 4, 16),
        ("hunyuan15_super", 32, 2, 4, 16),
    ],
)
def test_the_published_variants(
    network: Callable[..., NetworkSettings],
    variant: str,
    channels: int,
    patch: int,
    time_stride: int,
    space_stride: int,
) -> None:
    shape = architecture(network(variant))
    assert (shape.latent_channels, shape.patch_size) == (channels, patch)
    assert (shape.time_stride, shape.space_stride) == (time_stride, space_stride)
    assert shape.frames_trimmed(3) == time_stride - 1


def test_every_variant_that_the_settings_allow_is_published(network: Callable[..., NetworkSettings]) -> None:
    assert set(VARIANTS) == set(get_args(NetworkSettings.model_fields["variant"].annotation))


def test_only_cogvideox_keeps_the_start_of_an_even_number_of_latents(network: Callable[..., NetworkSettings]) -> None:
    assert architecture(network("cogvideox")).frames_trimmed(2) == 0
    assert architecture(network("base")).frames_trimmed(2) == 3


def test_settings_override_the_variant_and_width_scales_every_channel(network: Callable[..., NetworkSettings]) -> None:
    shape = architecture(
        network("base", latent_channels=4, patch_size=2, encoder_time_strides=(1, 2, 2), decoder_time_strides=(2, 2, 1))
    )
    assert (shape.latent_channels, shape.patch_size) == (4, 2)
    assert (shape.encoder_time_strides, shape.decoder_time_strides) == ((1, 2, 2), (2, 2, 1))
    assert (shape.encoder_channels, shape.decoder_channels) == (8, (32, 16, 8, 8))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        (
            {"encoder_time_strides": (2, 2)},
            r"encoder_time_strides must be 3 values of 1 or 2, but is \[2, 2\]; \[\] takes",
        ),
        ({"decoder_time_strides": (1, 4, 1)}, r"decoder_time_strides must be 3 values of 1 or 2, but is \[1, 4, 1\]"),
        ({"encoder_time_strides": (2, 2, 2)}, r"same factor, but their time strides are \[2, 2, 2\] and \[1, 2, 2\]"),
        ({"width": 0.001}, r"network.width must leave every layer a channel, but 0.001 does not; take at least 0.0156"),
    ],
)
def test_impossible_combinations_are_refused_in_one_line(
    network: Callable[..., NetworkSettings], changes: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text) as error:
        architecture(network(**changes))
    assert "\n" not in str(error.value)
