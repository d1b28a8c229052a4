"""How many workers a cluster has room for, and what each of them works on."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from model.settings import change
from search.settings import Settings
from search.workers.assignments import check_workers, trial_recipe
from search.workers.messages import Assignment

#: Ray counts resources in steps of this size: a third of a GPU is there three times.
STEP = 1e-4


def gpus_of_a_worker(settings: Settings, device: torch.device) -> float:
    """The part of a GPU that a worker takes; 0 on the CPU."""
    return 1 / settings.search.slots_per_gpu if device.type == "cuda" else 0.0


def room(node: Mapping[str, float], num_gpus: float) -> int:
    """How many workers of one CPU and `num_gpus` fit on a node with the resources "CPU" and "GPU"."""
    cpus = int(node.get("CPU", 0))
    return min(cpus, int((node.get("GPU", 0) + STEP) / num_gpus)) if num_gpus else cpus


def cluster_assignments(
    settings: Settings, device: torch.device, nodes: Sequence[Mapping[str, float]]
) -> list[Assignment]:
    """Return an assignment per worker: `search.workers`, or when that is 0 as many as the GPUs have room for, one on CPUs.

    Args:
        settings: of the study.
        device: of this machine; the workers take the same kind.
        nodes: resources ("CPU", "GPU") of each node that is alive.

    Raises:
        ValueError: the numbers contradict each other or the device, or the cluster is too small.
    """
    check_workers(settings, device)
    num_gpus = gpus_of_a_worker(settings, device)
    rooms = [fits for node in nodes if (fits := room(node, num_gpus))]
    wanted = settings.search.workers or (sum(rooms) if num_gpus else 1)
    if not 0 < wanted <= sum(rooms):
        gpus, cpus = (sum(node.get(name, 0) for node in nodes) for name in ("GPU", "CPU"))
        remedy = f"set search.workers={sum(rooms)} or " if rooms else ""
        raise ValueError(
            f"a worker needs {needs(num_gpus)}, but the cluster has {gpus:g} GPU and {cpus:g} CPU on {len(nodes)} "
            f"{'node' if len(nodes) == 1 else 'nodes'}, room for {sum(rooms)} of {max(wanted, 1)}; "
            f"{remedy}add nodes with ray start --address=HOST:PORT"
        )
    shared_by = -(-wanted // len(rooms))
    cpus_of_smallest = min(int(node["CPU"]) for node in nodes if room(node, num_gpus))
    # Ray names the device. Without one, a worker must not find the GPUs of a node by itself.
    recipe = change(trial_recipe(settings, device), {"training.device": device.type})
    num_threads = max(1, cpus_of_smallest // shared_by)
    one = Assignment(recipe, None, num_threads, pruning=settings.search.pruner != "none")
    return [replace(one) for _ in range(wanted)]


def needs(num_gpus: float) -> str:
    """What Ray must find for a worker, in words."""
    return f"{num_gpus:.4g} GPU and 1 CPU of a node" if num_gpus else "1 CPU of a node"
