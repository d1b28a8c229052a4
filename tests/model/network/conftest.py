"""What the tests of the network share."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from model.network.settings import NetworkSettings


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Tensors of a few kilobytes: a second thread costs more than it brings, most of all beside other processes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def network() -> Callable[..., NetworkSettings]:
    """Settings of a variant, at an eighth of the width unless told otherwise."""

    def make(variant: str = "base", **changes: Any) -> NetworkSettings:
        values = {
            "variant": variant,
            "latent_channels": 0,
            "patch_size": 0,
            "encoder_time_strides": (),
            "decoder_time_strides": (),
            "width": 0.125,
            "initialisation": "torch",
            "weights": "",
        }
        return NetworkSettings.model_validate(values | changes)

    return make


@pytest.fixture(scope="session")
def pans() -> Callable[..., torch.Tensor]:
    """uint8 clips N T 3 px px that pan over photographs of scikit-image; the same for the same arguments."""
    from skimage import data

    photographs = [torch.from_numpy(photo()).permute(2, 0, 1) for photo in (data.astronaut, data.coffee, data.cat)]

    def make(clips: int, frames: int = 9, px: int = 32, seed: int = 0) -> torch.Tensor:
        generator = torch.Generator().manual_seed(seed)
        made = []
        for number in range(clips):
            photograph = photographs[number % len(photographs)]
            down, right = torch.randint(0, 3, (2,), generator=generator).tolist()
            top = int(torch.randint(photograph.shape[1] - px - 3 * frames, (1,), generator=generator))
            left = int(torch.randint(photograph.shape[2] - px - 3 * frames, (1,), generator=generator))
            corners = [(top + down * frame, left + right * frame) for frame in range(frames)]
            made.append(torch.stack([photograph[:, y : y + px, x : x + px] for y, x in corners]))
        return torch.stack(made)

    return make
