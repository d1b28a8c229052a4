from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from model.network.reference import build_reference
from model.network.settings import NetworkSettings, ReferenceSettings
from model.network.taehv import TAEHV
from model.network.weights import fingerprint, save_weights


@pytest.fixture
def checkpoint(tmp_path: Path, network: Callable[..., NetworkSettings]) -> tuple[TAEHV, Path]:
    model = TAEHV(network(width=0.25), seed=5)
    path = tmp_path / "teacher.safetensors"
    save_weights(model.state_dict(), path, {})
    return model, path


def build(path: Path, settings: NetworkSettings) -> Any:
    source = ReferenceSettings(source=f"taehv:{path}")
    return build_reference(source, settings, torch.empty(0), torch.device("cpu"))


def test_it_is_the_checkpoint_at_the_width_of_the_file_and_frozen(
    checkpoint: tuple[TAEHV, Path], network: Callable[..., NetworkSettings]
) -> None:
    model, path = checkpoint
    reference = build(path, network(width=0.125))
    video = torch.rand(1, 9, 3, 16, 16)
    with torch.no_grad():
        torch.testing.assert_close(reference.encode(video), model.encode(video))
        torch.testing.assert_close(reference.decode(model.encode(video)), model.decode(model.encode(video)))
    assert reference.name == f"taehv:{path}"
    assert reference.identity == fingerprint(model.state_dict())
    assert reference.latent_channels == 16
    assert not reference.encode(video).requires_grad
    assert not any(parameter.requires_grad for parameter in reference.parameters())


def test_a_checkpoint_of_another_variant_is_an_error_and_no_other_reference(
    checkpoint: tuple[TAEHV, Path], network: Callable[..., NetworkSettings]
) -> None:
    with pytest.raises(ValueError, match=r"it fits network\.variant=base"):
        build(checkpoint[1], network("wan22"))
