from collections.abc import Callable

import pytest
import torch

from model.settings import identity
from search.settings import Settings, recipe_of
from search.workers.room import cluster_assignments, gpus_of_a_worker, room

SettingsOf = Callable[..., Settings]

CPU, CUDA = torch.device("cpu"), torch.device("cuda")

#: Two hosts with GPUs and one without.
NODES = [{"CPU": 32.0, "GPU": 4.0}, {"CPU": 16.0, "GPU": 2.0}, {"CPU": 8.0}]


@pytest.mark.parametrize(
    ("node", "num_gpus", "workers"),
    [
        ({"CPU": 8.0, "GPU": 2.0}, 1.0, 2),
        ({"CPU": 8.0, "GPU": 2.0}, 0.5, 4),
        ({"CPU": 8.0, "GPU": 1.0}, 1 / 3, 3),
        ({"CPU": 1.0, "GPU": 2.0}, 1.0, 1),
        ({"CPU": 8.0}, 1.0, 0),
        ({"CPU": 8.0}, 0.0, 8),
        ({"GPU": 2.0}, 0.0, 0),
        ({"CPU": 8.0, "GPU": 0.5}, 1.0, 0),
    ],
)
def test_a_node_has_room_for_so_many(node: dict[str, float], num_gpus: float, workers: int) -> None:
    assert room(node, num_gpus) == workers


def test_every_gpu_of_the_cluster_has_its_workers(tiny: SettingsOf) -> None:
    found = cluster_assignments(tiny("search.workers=0"), CUDA, NODES)
    assert len(found) == 6
    assert {one.cuda_device for one in found} == {None}  # Ray names it
    assert {one.recipe.training.device for one in found} == {"cuda"}
    assert {one.num_threads for one in found} == {5}  # three of them on a host of 16 cores

    shared = tiny("search.workers=0", "search.slots_per_gpu=2")
    assert gpus_of_a_worker(shared, CUDA) == 0.5
    assert len(cluster_assignments(shared, CUDA, NODES)) == 12


def test_without_gpus_there_is_one_worker_or_as_many_as_asked_for(tiny: SettingsOf) -> None:
    settings = tiny("search.workers=0")
    (only,) = cluster_assignments(settings, CPU, NODES)
    assert (only.num_threads, only.recipe.training.device) == (8, "cpu")
    assert identity(only.recipe) == identity(recipe_of(settings))
    assert gpus_of_a_worker(settings, CPU) == 0
    assert len(cluster_assignments(tiny("search.workers=5"), CPU, NODES)) == 5


def test_a_cluster_that_is_too_small_is_refused_with_what_it_has_room_for(tiny: SettingsOf) -> None:
    with pytest.raises(
        ValueError,
        match=r"a worker needs 1 GPU and 1 CPU of a node, but the cluster has 6 GPU and 56 CPU on 3 nodes, "
        r"room for 6 of 7; set search\.workers=6 or add nodes with ray start",
    ):
        cluster_assignments(tiny("search.workers=7"), CUDA, NODES)
    with pytest.raises(ValueError, match=r"has 0 GPU and 8 CPU on 1 node, room for 0 of 1; add nodes"):
        cluster_assignments(tiny("search.workers=0"), CUDA, [{"CPU": 8.0}])
