import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.network.reference import build_reference
from model.network.reference.base import Reference
from model.network.settings import NetworkSettings, ReferenceSettings
from model.network.taehv import TAEHV
from model.network.weights import save_weights


@pytest.mark.parametrize("kind", ["pca", "taehv"])
def test_every_reference_keeps_the_contract(
    kind: str, tmp_path: Path, network: Callable[..., NetworkSettings], pans: Callable[..., torch.Tensor]
) -> None:
    """diffusers, an extra, is held to the same in test_diffusers.py."""
    path = tmp_path / "teacher.safetensors"
    save_weights(TAEHV(network()).state_dict(), path, {})
    source = kind if kind == "pca" else f"{kind}:{path}"
    device = torch.device("cpu")
    reference: Reference = build_reference(ReferenceSettings(source=source), network(), pans(8), device)
    assert reference.name == source
    assert re.fullmatch("[0-9a-f]{12}", reference.identity)
    assert reference.to(device) is reference
    video = torch.rand(2, 9, 3, 16, 32, requires_grad=True)
    latents = reference.encode(video)
    decoded = reference.decode(latents)
    assert latents.shape == (2, 3, reference.latent_channels, 2, 4)
    assert decoded.shape == video.shape
    assert latents.dtype == decoded.dtype == torch.float32
    assert not latents.requires_grad
    assert not reference.decode(latents.requires_grad_(True)).requires_grad
