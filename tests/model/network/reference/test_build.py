"""The dispatch in model/network/reference/__init__.py."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.network.reference import build_reference
from model.network.settings import NetworkSettings, ReferenceSettings


def test_pca_takes_channels_and_strides_from_the_network(
    network: Callable[..., NetworkSettings], pans: Callable[..., torch.Tensor]
) -> None:
    clips = pans(12, px=64)
    reference = build_reference(ReferenceSettings(source="pca"), network("wan22"), clips, torch.device("cpu"))
    assert reference.name == "pca"
    assert reference.latent_channels == 48
    assert reference.encode(torch.rand(1, 9, 3, 32, 32)).shape == (1, 3, 48, 2, 2)


@pytest.mark.parametrize(
    "source", ["", "PCA", "pca:", "taehv", "taehv:", "diffusers:AutoencoderKLWan", "diffusers:AutoencoderKLWan:", "wan"]
)
def test_other_sources_are_refused_and_the_forms_named(network: Callable[..., NetworkSettings], source: str) -> None:
    with pytest.raises(ValueError, match=f'must be "pca", "taehv:PATH" or "diffusers:CLASS:PATH", but is \'{source}\''):
        build_reference(ReferenceSettings(source=source), network(), torch.empty(0), torch.device("cpu"))


def test_what_cannot_be_loaded_is_an_error(network: Callable[..., NetworkSettings], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="weights must be a file"):
        build_reference(
            ReferenceSettings(source=f"taehv:{tmp_path / 'absent.pth'}"), network(), torch.empty(0), torch.device("cpu")
        )
