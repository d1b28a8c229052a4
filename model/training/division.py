"""What a training that is divided among several processes asks of its settings."""

import torch

from model.ranks import Ranks
from model.recipe import Recipe


def check_division(recipe: Recipe, device: torch.device, ranks: Ranks) -> None:
    """Refuse what several processes cannot train; one process trains everything.

    Raises:
        ValueError: the batch cannot be divided, CUDA devices are too few or one is named for all, or steps are to be captured.
    """
    if ranks.alone:
        return
    settings, count = recipe.training, ranks.count
    if settings.batch_size % count:
        fitting = settings.batch_size // count * count or count
        raise ValueError(
            f"training.batch_size must be a multiple of the {count} processes that share each batch, but is "
            f"{settings.batch_size}; set training.batch_size = {fitting}, or start another number of processes"
        )
    if settings.execution == "captured":
        raise ValueError(
            f'training.execution = "captured" needs one process, because a captured step sends nothing to others, but there are '
            f'{count}; set training.execution = "auto"'
        )
    if device.index is not None:
        raise ValueError(
            f'training.device must leave each of {count} processes a device of its own, but is "{settings.device}"; '
            'set training.device = "auto"'
        )
    if device.type == "cuda" and ranks.per_machine > torch.cuda.device_count():
        raise ValueError(
            f"each process must have a CUDA device of its own, but this machine has {torch.cuda.device_count()} for "
            f"{ranks.per_machine}; start as many processes as devices, or set training.device = cpu"
        )
