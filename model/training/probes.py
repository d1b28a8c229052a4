"""Measurements that cost more than a step, taken every `probe_every` steps."""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from model.network.taehv import TAEHV


def input_range(video: Tensor) -> dict[str, float]:
    """Least, greatest and mean value of the tensor that enters the model: wrongly scaled frames show here first."""
    low, high, mean = torch.stack([video.min(), video.max(), video.mean()]).tolist()
    return {"input/min": low, "input/max": high, "input/mean": mean}


def gradient_shares(weighted: Mapping[str, Tensor], model: TAEHV, names: tuple[str, ...]) -> dict[str, float]:
    """Say how much of the gradient each weighted loss gives to the last convolutions of encoder and decoder.

    The share of a loss is the norm of its own gradient over the sum of these norms of all losses: in [0, 1], summing to
    1, or 0 for all where nothing has a gradient. `gradient_share/<name>` takes both tensors together. The graph is kept
    for the step's own backward.

    Args:
        weighted: weight * loss of the losses with a weight, 0-dim, each with a graph.
        model: the network they were computed with.
        names: the losses to report; those without a weight have share 0.
    """
    tensors = [last_convolution(part).weight for part in (model.encoder, model.decoder)]
    norms = torch.zeros(len(names), 2, device=tensors[0].device)
    for row, name in zip(norms, names, strict=True):
        if name in weighted:
            gradients = torch.autograd.grad(weighted[name], tensors, retain_graph=True, allow_unused=True)
            for column, gradient in enumerate(gradients):
                if gradient is not None:
                    row[column] = torch.linalg.vector_norm(gradient)
    table = torch.stack([norms[:, 0], norms[:, 1], torch.linalg.vector_norm(norms, dim=1)])
    shares = table / table.sum(dim=1, keepdim=True).clamp_min(torch.finfo(table.dtype).tiny)
    places = ("gradient_share_encoder", "gradient_share_decoder", "gradient_share")
    return {
        f"{place}/{name}": share
        for place, row in zip(places, shares.tolist(), strict=True)
        for name, share in zip(names, row, strict=True)
    }


def last_convolution(part: nn.Module) -> nn.Conv2d:
    """The last convolution of an encoder or decoder; its place in the sequence differs between variants."""
    return [module for module in part.modules() if isinstance(module, nn.Conv2d)][-1]
