from typing import Any

import torch
from torch import Tensor, nn

from model.network.shared_batch_norm import SharedBatchNorm
from model.ranks import ALONE, Ranks
from tests.together import together


def images() -> Tensor:
    return 3 + 2 * torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))


def normalise(layer: nn.BatchNorm2d, x: Tensor) -> dict[str, Any]:
    """Two batches and a loss in which no two values count the same, then one more batch with the running statistics."""
    x = x.clone().requires_grad_()
    layer(x.detach() + 1)
    y = layer(x)
    (y * images()[: len(x)]).square().mean().backward()
    layer.eval()
    gradients = {name: weights.grad for name, weights in layer.named_parameters()}
    return {"y": y.detach(), "x": x.grad, "later": layer(x).detach(), "state": layer.state_dict(), **gradients}


def normalise_part(ranks: Ranks) -> dict[str, Any]:
    # The loss of normalise looks at images of its own, so that both halves see the same.
    return normalise(SharedBatchNorm(3, ranks), images()[ranks.slice_of(4)])


def normalise_whole() -> list[dict[str, Any]]:
    x = images().requires_grad_()
    layer = nn.BatchNorm2d(3)
    layer(x.detach() + 1)
    y = layer(x)
    losses = [(y[rows] * images()[:2]).square().mean() for rows in (slice(0, 2), slice(2, 4))]
    (sum(losses) / 2).backward()
    layer.eval()
    later, gradients = layer(x).detach(), {name: weights.grad for name, weights in layer.named_parameters()}
    return [
        {"y": y[rows].detach(), "x": 2 * x.grad[rows], "later": later[rows], "state": layer.state_dict(), **gradients}
        for rows in (slice(0, 2), slice(2, 4))
    ]


def test_two_halves_are_normalised_as_the_whole() -> None:
    halves = together(normalise_part)
    # Each rank's own gradient is of its own loss; the mean of both is that of the whole, as the critic takes it.
    for name in ("weight", "bias"):
        mean = (halves[0][name] + halves[1][name]) / 2
        for half in halves:
            half[name] = mean
    torch.testing.assert_close(halves, normalise_whole(), rtol=1e-5, atol=1e-6)


def test_alone_it_is_the_usual_one() -> None:
    torch.testing.assert_close(
        normalise(SharedBatchNorm(3, ALONE), images()), normalise(nn.BatchNorm2d(3), images()), rtol=1e-5, atol=1e-6
    )


def test_what_comes_in_narrow_comes_out_narrow() -> None:
    assert SharedBatchNorm(3, ALONE)(images().bfloat16()).dtype == torch.bfloat16
