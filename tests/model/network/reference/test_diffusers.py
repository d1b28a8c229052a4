import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from model.network.operators import declare_missing_operators
from model.network.reference import build_reference
from model.network.settings import NetworkSettings, ReferenceSettings
from tests.model.network.reference.small_vaes import save_small_vae

declare_missing_operators()
diffusers = pytest.importorskip("diffusers", reason="needs the extra 'reference'")

VARIANT = {
    "AutoencoderKLCogVideoX": "cogvideox",
    "AutoencoderKLHunyuanVideo": "base",
    "AutoencoderKLHunyuanVideo15": "hunyuan15",
    "AutoencoderKLWan": "base",
    "AutoencoderKLLTXVideo": "ltx",
}
#: What the diffusion models multiply latents by, as their pipelines' configurations say.
FACTORS = {
    "AutoencoderKLCogVideoX": 1.15258426,
    "AutoencoderKLHunyuanVideo": 0.476986,
    "AutoencoderKLHunyuanVideo15": 1.03682,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    made = {name: tmp_path_factory.mktemp(name) for name in VARIANT}
    for name, folder in made.items():
        save_small_vae(name, folder)
    return made


def build(source: str, settings: NetworkSettings) -> Any:
    return build_reference(ReferenceSettings(source=source), settings, torch.empty(0), torch.device("cpu"))


@pytest.mark.parametrize("name", VARIANT)
def test_latents_are_those_that_the_diffusion_model_sees(
    folders: dict[str, Path], network: Callable[..., NetworkSettings], name: str
) -> None:
    reference = build(f"diffusers:{name}:{folders[name]}", network(VARIANT[name]))
    vae = getattr(diffusers, name).from_pretrained(folders[name]).eval()
    video = torch.rand(2, 9, 3, 32, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        clips = (video.permute(0, 2, 1, 3, 4) * 2 - 1).split(1)
        raw = torch.cat([vae.encode(clip).latent_dist.mean for clip in clips])
        decoded = torch.cat([vae.decode(latent).sample for latent in raw.split(1)]).permute(0, 2, 1, 3, 4) / 2 + 0.5
    if name in FACTORS:
        expected = raw * FACTORS[name]
    elif name == "AutoencoderKLWan":
        mean, std = (torch.tensor(vae.config[key]).view(1, 16, 1, 1, 1) for key in ("latents_mean", "latents_std"))
        expected = (raw - mean) / std
    else:
        expected = (raw - torch.linspace(-1, 1, 128).view(1, 128, 1, 1, 1)) / torch.linspace(1, 2, 128).view(
            1, 128, 1, 1, 1
        )
    latents = reference.encode(video)
    torch.testing.assert_close(latents, expected.permute(0, 2, 1, 3, 4), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(reference.decode(latents), decoded, atol=1e-4, rtol=1e-4)
    assert reference.decode(latents).shape == video.shape
    assert reference.latent_channels == latents.shape[2]
    assert len(reference.identity) == 12
    assert not latents.requires_grad


def test_latents_that_the_network_does_not_make_are_refused_with_both(
    folders: dict[str, Path], network: Callable[..., NetworkSettings]
) -> None:
    source = f"diffusers:AutoencoderKLWan:{folders['AutoencoderKLWan']}"
    wanted = "48 channels at time stride 4 and space stride 16"
    made = "16 channels at time stride 4 and space stride 8"
    with pytest.raises(ValueError, match=f"{wanted}, but .* makes {made}"):
        build(source, network("wan22"))


def test_a_folder_of_another_class_is_refused(
    folders: dict[str, Path], network: Callable[..., NetworkSettings]
) -> None:
    with pytest.raises(ValueError, match=r"must hold an? AutoencoderKLWan, .* says AutoencoderKLCogVideoX"):
        build(f"diffusers:AutoencoderKLWan:{folders['AutoencoderKLCogVideoX']}", network())


def test_missing_weights_are_an_error_and_never_invented(
    folders: dict[str, Path], network: Callable[..., NetworkSettings], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    source = folders["AutoencoderKLWan"]
    (tmp_path / "config.json").write_bytes((source / "config.json").read_bytes())
    weights = load_file(source / "diffusion_pytorch_model.safetensors")
    del weights["quant_conv.bias"]
    save_file(weights, tmp_path / "diffusion_pytorch_model.safetensors", {"format": "pt"})
    with pytest.raises(ValueError, match="must hold exactly the weights of AutoencoderKLWan, but has 1 missing key"):
        build(f"diffusers:AutoencoderKLWan:{tmp_path}", network())


def test_pickled_or_damaged_weights_are_refused(
    folders: dict[str, Path], network: Callable[..., NetworkSettings], tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_bytes((folders["AutoencoderKLWan"] / "config.json").read_bytes())
    torch.save({}, tmp_path / "diffusion_pytorch_model.bin")
    with pytest.raises(ValueError, match="does not load") as error:
        build(f"diffusers:AutoencoderKLWan:{tmp_path}", network())
    assert "\n" not in str(error.value)
    (tmp_path / "diffusion_pytorch_model.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="does not load"):
        build(f"diffusers:AutoencoderKLWan:{tmp_path}", network())


def test_unknown_classes_and_missing_folders_are_refused(
    network: Callable[..., NetworkSettings], tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=r"must be one of AutoencoderKLCogVideoX, .* but is 'AutoencoderKL'"):
        build(f"diffusers:AutoencoderKL:{tmp_path}", network())
    with pytest.raises(ValueError, match=r"local folder with a config.json, but .* has none"):
        build(f"diffusers:AutoencoderKLWan:{tmp_path}", network())


def test_without_diffusers_the_extra_is_named(
    folders: dict[str, Path], network: Callable[..., NetworkSettings], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(ValueError, match=r"pip install 'taehv-search\[reference\]'"):
        build(f"diffusers:AutoencoderKLWan:{folders['AutoencoderKLWan']}", network())
