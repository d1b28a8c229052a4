"""How many workers there are and what each of them works on."""

import os

import torch

from model.recipe import Recipe
from model.settings import change
from search.settings import Settings, recipe_of
from search.workers.messages import Assignment


def check_workers(settings: Settings, device: torch.device) -> None:
    """Refuse numbers of workers that contradict each other or the device.

    Raises:
        ValueError: several workers per GPU without one, or beside a number of workers in all.
    """
    slots, workers = settings.search.slots_per_gpu, settings.search.workers
    if slots > 1 and device.type != "cuda":
        raise ValueError(
            f"search.slots_per_gpu above 1 needs a CUDA device, but it is {slots} and training runs on the {device.type}; "
            f"leave it at 1 and give the number of workers with --set search.workers={slots}"
        )
    if slots > 1 and workers > 0:
        raise ValueError(
            "workers are counted per GPU or in all, not both, "
            f"but search.slots_per_gpu is {slots} and search.workers is {workers}; set search.workers=0"
        )


def assignments(settings: Settings, device: torch.device) -> list[Assignment]:
    """Return an assignment per worker.

    `search.workers` of them, spread evenly over the visible CUDA devices; when that is 0, `search.slots_per_gpu` for each
    device, and one on the CPU.

    Raises:
        ValueError: the numbers contradict each other or the device.
    """
    check_workers(settings, device)
    devices = cuda_devices(device)
    count = settings.search.workers or len(devices) * settings.search.slots_per_gpu
    num_threads = max(1, torch.get_num_threads() // count)  # heeds OMP_NUM_THREADS
    recipe, pruning = trial_recipe(settings, device), settings.search.pruner != "none"
    return [Assignment(recipe, devices[index % len(devices)], num_threads, pruning) for index in range(count)]


def trial_recipe(settings: Settings, device: torch.device) -> Recipe:
    """The recipe that a worker changes for each of its trials; it has the identity of the study's own."""
    recipe = recipe_of(settings)
    # An interrupted trial begins again, so nothing but its weights is ever read; all that resuming needs is hundreds of MB.
    wanted: dict[str, int | str] = {"training.checkpoint_every": 0}
    if device.type == "cuda":
        wanted["training.device"] = "cuda"  # a worker sees one device only, whatever its number here
    return change(recipe, wanted)


def cuda_devices(device: torch.device) -> list[str | None]:
    """Names for CUDA_VISIBLE_DEVICES, one per device that the study may use; [None] on the CPU."""
    if device.type != "cuda":
        return [None]
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    names = visible.split(",") if visible else [str(index) for index in range(torch.cuda.device_count())]
    return [names[device.index]] if device.index is not None else list(names)
