"""A tiny recipe and a tiny bank: pans over a photograph, latents by a fixed linear map."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.evaluation.perceptual import Perceptual, load_perceptual
from model.recipe import Recipe
from model.settings import build, read_tables
from model.training.batches import Batch, take_batch

ROOT = Path(__file__).resolve().parents[3]
TORCH_HOME = ROOT.parent / "shared" / "weights"
CPU = torch.device("cpu")


@pytest.fixture
def recipe(tiny_changes: list[str]) -> Callable[..., Recipe]:
    """Settings of four steps without LPIPS; takes further changes."""

    def make(*changes: str) -> Recipe:
        own = ["losses.perceptual=0", "data.crop_px=16"]
        return build(Recipe, read_tables(ROOT / "conf.toml", "cpu", [*tiny_changes, *own, *changes]))

    return make


@pytest.fixture(scope="session")
def bank() -> Bank:
    return make_bank(crop_px=16, clips=8)


@pytest.fixture(scope="session")
def larger_bank() -> Bank:
    """Crops that LPIPS takes."""
    return make_bank(crop_px=32, clips=8)


@pytest.fixture
def batch(recipe: Callable[..., Recipe], bank: Bank) -> Batch:
    return take_batch(bank, 0, recipe(), CPU)


@pytest.fixture
def lpips(monkeypatch: pytest.MonkeyPatch) -> Perceptual:
    """LPIPS with its real trunk."""
    if not TORCH_HOME.exists():
        pytest.skip("needs the SqueezeNet trunk in ../shared/weights")
    monkeypatch.setenv("TORCH_HOME", str(TORCH_HOME))
    return load_perceptual("squeeze", CPU)


def make_bank(crop_px: int, clips: int) -> Bank:
    """Training clips from the left half of a photograph, four validation clips from the right half."""
    photo = skimage.data.astronaut()[::2, ::2]
    generator = np.random.default_rng(0)
    training = torch.stack([pan(photo[:, :128], crop_px, generator) for _ in range(clips)])
    validation = torch.stack([pan(photo[:, 128:], crop_px, generator) for _ in range(4)])
    return Bank(
        training=training,
        training_latents=project(to_unit(training)),
        validation=validation,
        validation_round_trip=to_unit(validation),
        validation_names=("a", "b", "c", "d"),
        digest="0123456789abcdef",
        facts={},
        path=Path("unused"),
    )


def pan(photo: np.ndarray, crop_px: int, generator: np.random.Generator) -> Tensor:
    """Nine frames T3HW that move one pixel a frame to the right."""
    row = generator.integers(photo.shape[0] - crop_px)
    column = generator.integers(photo.shape[1] - crop_px - 9)
    frames = [photo[row : row + crop_px, column + i : column + i + crop_px] for i in range(9)]
    return torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).contiguous()


def project(video: Tensor) -> Tensor:
    """Sixteen numbers of mean 0 and standard deviation 1 for each 8x8 patch of frames 0, 4 and 8: a linear reference."""
    patches = F.pixel_unshuffle(video[:, ::4], 8)
    directions = torch.randn(16, patches.shape[2], generator=torch.Generator().manual_seed(0))
    latents = torch.einsum("dp,ntphw->ntdhw", directions, patches)
    mean, deviation = latents.mean((0, 1, 3, 4), keepdim=True), latents.std((0, 1, 3, 4), keepdim=True)
    return (latents - mean) / deviation
