from collections.abc import Callable

import pytest
import torch

from model.ranks import ALONE, Ranks
from model.recipe import Recipe
from model.training.division import check_division

CPU, TWO = torch.device("cpu"), Ranks(0, 2, 2)


def test_one_process_and_equal_parts_are_fine(recipe: Callable[..., Recipe]) -> None:
    check_division(recipe("training.batch_size=3"), CPU, ALONE)
    check_division(recipe("training.batch_size=4"), CPU, TWO)


@pytest.mark.parametrize(
    ("changes", "device", "message"),
    [
        (["training.batch_size=7"], "cpu", "multiple of the 2 processes .*, but is 7; set training.batch_size = 6, or"),
        (["training.batch_size=1"], "cpu", "but is 1; set training.batch_size = 2, or start another number"),
        (['training.execution="captured"'], "cpu", 'needs one process, .* but there are 2; set .* = "auto"'),
        (["training.device=cuda:0"], "cuda:0", 'each of 2 processes a device of its own, but is "cuda:0"; set'),
    ],
)
def test_what_cannot_be_divided_is_refused(
    recipe: Callable[..., Recipe], changes: list[str], device: str, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        check_division(recipe(*changes), torch.device(device), TWO)


def test_two_processes_do_not_share_a_cuda_device(recipe: Callable[..., Recipe]) -> None:
    devices = torch.cuda.device_count()
    with pytest.raises(ValueError, match=f"this machine has {devices} for {devices + 1}; start as many"):
        check_division(recipe("training.batch_size=2"), torch.device("cuda"), Ranks(0, 2, devices + 1))
