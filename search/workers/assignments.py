"""How many workers there are and what each of them works on."""

import os

import torch

from model.settings import change
from search.preparation import Preparation
from search.settings import Settings, recipe_of
from search.workers.messages import Assignment


def assignments(settings: Settings, prepared: Preparation) -> list[Assignment]:
    """Return `search.workers` assignments: one per visible CUDA device (else one) when that is 0, spread evenly otherwise."""
    devices = cuda_devices(prepared.device)
    count = settings.search.workers or len(devices)
    num_threads = max(1, torch.get_num_threads() // count)  # heeds OMP_NUM_THREADS
    recipe, perceptual = recipe_of(settings), prepared.perceptual is not None
    if prepared.device.type == "cuda":
        recipe = change(recipe, {"training.device": "cuda"})  # a worker sees one device only, whatever its number here
    return [
        Assignment(recipe, prepared.bank.path, perceptual, devices[index % len(devices)], num_threads)
        for index in range(count)
    ]


def cuda_devices(device: torch.device) -> list[str | None]:
    """Names for CUDA_VISIBLE_DEVICES, one per device that the study may use; [None] on the CPU."""
    if device.type != "cuda":
        return [None]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(index) for index in range(torch.cuda.device_count())]
    return [names[device.index]] if device.index is not None else list(names)
