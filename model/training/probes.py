"""Measurements that cost more than a step needs, taken every `probe_every` steps.

They stay on the device until `read_probes`: one transfer to the host per probe.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from model.network.taehv import TAEHV
from model.ranks import ALONE, Ranks
from model.training.adam import measure_adam
from model.training.batches import Batch
from model.training.inputs import MOMENTS, join_moments
from model.training.passes import OF_REFERENCE, Passes, made
from model.training.settings import LOSSES
from model.training.state import TrainState


def probe_forward(
    seen: Tensor,
    passes: Passes,
    batch: Batch,
    weighted: Mapping[str, Tensor],
    model: TAEHV,
    ranks: Ranks = ALONE,
) -> dict[str, Tensor]:
    """Measure a step before its weights move: what went in (the moments of `watch_input`), what came out, who pulls.

    All of the whole batch, whatever part of it each rank has.
    """
    inputs = {f"input/{moment}": value for moment, value in zip(MOMENTS, join_moments(seen, ranks), strict=True)}
    outputs = compare_output(made(passes.reconstruction), batch.video, ranks)
    return inputs | outputs | gradient_shares(weighted, model, ranks)


def probe_update(state: TrainState) -> dict[str, Tensor]:
    """Measure a step after its weights moved: how far since the last probe, and what the optimizer did for it."""
    steps = measure_adam(state.optimizer, state.step, state.drift.mean_rate())
    return steps | state.drift.measure(state.model, state.average)


def read_probes(probes: Mapping[str, Tensor], device: torch.device) -> dict[str, float]:
    """Bring 0-dim values to the host, all in one transfer from `device`."""
    values = torch.stack([value.float().to(device) for value in probes.values()]).tolist() if probes else []
    return dict(zip(probes, values, strict=True))


@torch.no_grad()
def compare_output(reconstruction: Tensor, video: Tensor, ranks: Ranks = ALONE) -> dict[str, Tensor]:
    """Compare an unclamped reconstruction with its frames.

    output/std_ratio is the standard deviation of all its values over that of the frames (0: one colour),
    output/saturated_share the share of values at or outside the bounds 0 and 1, as in the evaluation.
    """
    spread, wanted = ranks.std(reconstruction), ranks.std(video)
    outside = (reconstruction <= 0) | (reconstruction >= 1)
    return {
        "output/std_ratio": spread / wanted.clamp_min(torch.finfo(wanted.dtype).tiny),
        "output/saturated_share": ranks.average_(outside.float().mean()),
    }


def gradient_shares(weighted: Mapping[str, Tensor], model: TAEHV, ranks: Ranks = ALONE) -> dict[str, Tensor]:
    """Say how much of the gradient each weighted loss gives to the last convolutions of encoder and decoder.

    The share of a loss is the norm of its own gradient over the sum of these norms of all losses: in [0, 1], summing to
    1, or 0 for all where nothing has a gradient. `gradient_share/<name>` takes both tensors together. The graph is kept
    for the step's own backward.

    Args:
        weighted: weight * loss of the losses with a weight, 0-dim, each with a graph; the others have share 0.
        model: the network they were computed with.
        ranks: whose gradients are averaged before they are measured.
    """
    decoder, encoder = (last_convolution(part).weight for part in (model.decoder, model.encoder))
    norms = torch.zeros(len(LOSSES), 2, device=decoder.device)
    for row, name in zip(norms, LOSSES, strict=True):
        if name in weighted:
            # At the encoder these have a gradient of 0, but the graph leads there, because both decodes are one call:
            # asking for it would cost two backward passes through the decoder.
            tensors = [decoder] if name in OF_REFERENCE else [decoder, encoder]
            gradients = torch.autograd.grad(weighted[name], tensors, retain_graph=True, allow_unused=True)
            for column, gradient in enumerate(gradients):
                if gradient is not None:
                    row[column] = torch.linalg.vector_norm(ranks.average_(gradient))
    table = torch.stack([norms[:, 1], norms[:, 0], torch.linalg.vector_norm(norms, dim=1)])
    shares = table / table.sum(dim=1, keepdim=True).clamp_min(torch.finfo(table.dtype).tiny)
    places = ("gradient_share_encoder", "gradient_share_decoder", "gradient_share")
    return {
        f"{place}/{name}": share
        for place, row in zip(places, shares, strict=True)
        for name, share in zip(LOSSES, row, strict=True)
    }


def last_convolution(part: nn.Module) -> nn.Conv2d:
    """The last convolution of an encoder or decoder; its place in the sequence differs between variants."""
    return [module for module in part.modules() if isinstance(module, nn.Conv2d)][-1]
