from collections.abc import Callable

import pytest
import torch

from model.recipe import Recipe
from model.settings import change, identity
from search.settings import Settings, recipe_of
from search.workers.assignments import assignments

SettingsOf = Callable[..., Settings]


CPU = torch.device("cpu")


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], torch.device]:
    """The device of a machine whose CUDA_VISIBLE_DEVICES is as given."""

    def make(visible: str) -> torch.device:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
        return torch.device("cuda")

    return make


def test_a_machine_without_cuda_has_one_worker_with_all_cores(tiny: SettingsOf) -> None:
    settings = tiny("search.workers=0")
    (only,) = assignments(settings, CPU)
    assert (only.cuda_device, only.num_threads) == (None, torch.get_num_threads())
    assert only.recipe == change(recipe_of(settings), {"training.checkpoint_every": 0})
    assert identity(only.recipe) == identity(recipe_of(settings))
    assert type(only.recipe) is Recipe  # a worker needs no more, and what it needs travels to it


def test_each_visible_device_has_a_worker_of_its_own(tiny: SettingsOf, cuda: Callable[[str], torch.device]) -> None:
    found = assignments(tiny("search.workers=0"), cuda("2,GPU-7d1f"))
    assert [assignment.cuda_device for assignment in found] == ["2", "GPU-7d1f"]


def test_without_a_list_the_devices_are_counted(
    tiny: SettingsOf, cuda: Callable[[str], torch.device], monkeypatch: pytest.MonkeyPatch
) -> None:
    device = cuda("")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert [a.cuda_device for a in assignments(tiny("search.workers=0"), device)] == ["0", "1", "2"]


def test_a_number_of_workers_is_spread_over_devices_and_shares_the_cores(
    tiny: SettingsOf, cuda: Callable[[str], torch.device], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    found = assignments(tiny("search.workers=4"), cuda("5,6"))
    assert sorted(str(assignment.cuda_device) for assignment in found) == ["5", "5", "6", "6"]
    assert {assignment.num_threads for assignment in found} == {2}


def test_slots_per_gpu_are_workers_of_every_device(tiny: SettingsOf, cuda: Callable[[str], torch.device]) -> None:
    found = assignments(tiny("search.workers=0", "search.slots_per_gpu=3"), cuda("5,6"))
    assert sorted(str(assignment.cuda_device) for assignment in found) == ["5", "5", "5", "6", "6", "6"]


def test_workers_are_not_counted_in_two_ways(tiny: SettingsOf, cuda: Callable[[str], torch.device]) -> None:
    with pytest.raises(
        ValueError, match=r"not both, but search\.slots_per_gpu is 2 and search\.workers is 4; set search\.workers=0"
    ):
        assignments(tiny("search.workers=4", "search.slots_per_gpu=2"), cuda("0"))


def test_slots_per_gpu_need_one(tiny: SettingsOf) -> None:
    with pytest.raises(ValueError, match=r"needs a CUDA device, but it is 2 .* cpu; .* --set search\.workers=2"):
        assignments(tiny("search.workers=0", "search.slots_per_gpu=2"), CPU)


@pytest.mark.parametrize(("pruner", "pruning"), [("none", False), ("median", True), ("asha", True)])
def test_a_worker_asks_at_every_evaluation_only_where_a_trial_may_be_pruned(
    tiny: SettingsOf, pruner: str, pruning: bool
) -> None:
    (only,) = assignments(tiny("search.workers=1", f"search.pruner={pruner}"), CPU)
    assert only.pruning == pruning


def test_there_are_never_fewer_threads_than_one(tiny: SettingsOf, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    found = assignments(tiny("search.workers=3"), CPU)
    assert [assignment.num_threads for assignment in found] == [1, 1, 1]
