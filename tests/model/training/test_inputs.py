from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from model.network.taehv import TAEHV
from model.recipe import Recipe
from model.training.batches import Batch
from model.training.inputs import moments, watch_input


def test_moments_by_hand() -> None:
    assert moments(torch.tensor([0.0, 0.5, 1.0, 0.5])).tolist() == pytest.approx([0.0, 1.0, 0.5, 0.125**0.5])
    assert moments(torch.tensor([1, 3], dtype=torch.uint8)).tolist() == [1.0, 3.0, 2.0, 1.0]


@pytest.mark.parametrize("variant", ["base", "wan22"])
def test_every_encoded_video_is_seen_while_watched(recipe: Callable[..., Recipe], batch: Batch, variant: str) -> None:
    model = TAEHV(recipe(f"network.variant={variant}").network, 0)
    seen: list[Tensor] = []
    with torch.no_grad():
        with watch_input(model, seen):
            for scale in (1, 255):
                model.encode(batch.video / scale)
        model.encode(batch.video)
    assert len(seen) == 2
    for values, scale in zip(seen, (1, 255), strict=True):
        torch.testing.assert_close(values, moments(batch.video / scale))


def test_a_watch_ends_with_an_error_too(recipe: Callable[..., Recipe], batch: Batch) -> None:
    model = TAEHV(recipe().network, 0)
    seen: list[Tensor] = []
    with pytest.raises(KeyError), watch_input(model, seen):
        raise KeyError
    with torch.no_grad():
        model.encode(batch.video)
    assert seen == []
