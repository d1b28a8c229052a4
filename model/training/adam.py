"""What AdamW's own record says about the steps: taken or not, starved, or too small for the weights to feel."""

import torch
from torch import Tensor

from model.training.drift import flatten

#: A value is starved when its root second moment is below this many epsilons: over 9 % off its step's length then.
STARVED_EPSILONS = 10


@torch.no_grad()
def measure_adam(optimizer: torch.optim.AdamW, steps: int) -> dict[str, Tensor]:
    """Read the optimizer's state after a step; 0-dim tensors.

    steps/skipped is the share of `steps` that the optimizer's own counter does not have. adam/starved_share is the share
    of values with sqrt(v) < 10 eps, v being the second moment corrected for its start, weights/below_precision the share
    of the values with an update other than 0 that do not feel it, because value less update rounds to the value (about:
    the update is below half a unit in the last place). Both are left out when the optimizer took no step.

    Args:
        optimizer: with one parameter group.
        steps: that the training counts, at least 1.
    """
    (group,) = optimizer.param_groups
    stepped = [parameter for parameter in group["params"] if parameter in optimizer.state]
    if not stepped:
        return {"steps/skipped": torch.tensor(1.0)}
    taken = torch.stack([optimizer.state[parameter]["step"] for parameter in stepped]).max()
    counts = torch.zeros(4, device=stepped[0].device)
    # Weights that the optimizer holds in several types are rounded each to its own.
    for dtype in sorted({parameter.dtype for parameter in stepped}, key=str):
        members = [parameter for parameter in stepped if parameter.dtype == dtype]
        first, second = (
            flatten([optimizer.state[parameter][moment] for parameter in members])
            for moment in ("exp_avg", "exp_avg_sq")
        )
        root = (second / (1 - group["betas"][1] ** taken)).sqrt()
        update = group["lr"] * first / (1 - group["betas"][0] ** taken) / (root + group["eps"])
        weights = flatten(members)
        moving = update != 0
        unfelt = moving & ((weights - update).to(dtype) == weights)
        starved = root < STARVED_EPSILONS * group["eps"]
        counts += torch.stack([torch.ones_like(starved).sum(), starved.sum(), moving.sum(), unfelt.sum()])
    values, num_starved, num_moving, num_unfelt = counts
    return {
        "steps/skipped": 1 - taken / steps,
        "adam/starved_share": num_starved / values,
        "weights/below_precision": num_unfelt / num_moving.clamp_min(1),
    }
