import os
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import skimage.data
import torch
from torch import Tensor

from model.evaluation.perceptual import Perceptual
from model.evaluation.settings import EvaluationSettings
from model.network.operators import declare_missing_operators

TRUNKS = Path(__file__).parents[4] / "shared" / "weights"


def pan(image: object, frames: int = 9, side_px: int = 32, step_px: int = 3) -> Tensor:
    """A camera that moves right over a photograph: uint8 TCHW."""
    pixels = torch.as_tensor(image).permute(2, 0, 1)
    return torch.stack(
        [pixels[:, 150 : 150 + side_px, 180 + step_px * t : 180 + step_px * t + side_px] for t in range(frames)]
    )


@pytest.fixture(scope="session")
def clips() -> Tensor:
    return torch.stack([pan(skimage.data.astronaut()), pan(skimage.data.coffee()), pan(skimage.data.rocket())])


@pytest.fixture(scope="session")
def names() -> tuple[str, ...]:
    return ("astronaut", "coffee", "rocket")


@pytest.fixture
def settings() -> EvaluationSettings:
    return EvaluationSettings(batch_size=2, lpips="squeeze", bootstrap_resamples=200, pictures=2)


def with_random_trunk(backbone: str) -> torch.nn.Module:
    """LPIPS with the published heads on a random trunk: all that shapes, ranges and gradients need, without a download."""
    declare_missing_operators()
    import lpips

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)
        torch.default_generator.manual_seed(0)
        network: torch.nn.Module = lpips.LPIPS(net=backbone, pnet_rand=True, verbose=False)
    return network


@pytest.fixture(scope="session")
def random_trunk() -> Callable[[str], torch.nn.Module]:
    return with_random_trunk


@pytest.fixture(scope="session")
def perceptual() -> Perceptual:
    return Perceptual("squeeze", with_random_trunk("squeeze"))


@pytest.fixture
def torch_home(monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache with the real SqueezeNet."""
    if not TRUNKS.is_dir():
        pytest.skip("needs SqueezeNet's weights in ../shared/weights")
    monkeypatch.setenv("TORCH_HOME", os.fspath(TRUNKS))
    return TRUNKS
