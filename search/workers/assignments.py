"""How many workers there are and what each of them works on."""

import os

import torch

from search.preparation import Preparation
from search.settings import Settings, recipe_of
from search.workers.messages import Assignment


def assignments(settings: Settings, prepared: Preparation) -> list[Assignment]:
    """One worker per visible CUDA device, else one with all cores."""
    devices: list[str | None] = [None]
    if prepared.device.type == "cuda" and prepared.device.index is None:
        visible = os.environ.get("CUDA_VISIBLE_DEVICES")
        devices = list(visible.split(",")) if visible else [str(index) for index in range(torch.cuda.device_count())]
    recipe = recipe_of(settings)
    num_threads = max(1, torch.get_num_threads() // len(devices))  # heeds OMP_NUM_THREADS
    perceptual = prepared.perceptual is not None
    return [Assignment(recipe, prepared.bank.path, perceptual, device, num_threads) for device in devices]
