"""Facts about stored weights, by hand."""

import gc
import math
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tracking.foreign.checkpoint_files import find_checkpoints
from tracking.foreign.checkpoints import each_fact, gather_facts


def save(folder: Path, step: int, **tensors: Tensor) -> None:
    torch.save(tensors, folder / f"step_{step}.pth")


def facts(folder: Path, pretrained: Path | None = None):
    return gather_facts(find_checkpoints(folder).files, pretrained)


def test_moments_and_differences_by_hand(tmp_path: Path) -> None:
    save(tmp_path, 10, a=torch.tensor([3.0, 4.0]), b=torch.tensor([0.0, 0.0]))
    save(tmp_path, 20, a=torch.tensor([3.0, 4.0]), b=torch.tensor([0.0, 1.0]))
    torch.save({"a": torch.tensor([0.0, 2.0]), "b": torch.tensor([0.0, 0.0])}, tmp_path / "start.pt")
    first, second = gather_facts(find_checkpoints(tmp_path).files, tmp_path / "start.pt")
    assert (first.name, first.step, first.dtype, first.digits) == ("step_10.pth", 10, "float32", None)
    assert first.mean == 7 / 4
    assert first.std == pytest.approx(math.sqrt(25 / 4 - (7 / 4) ** 2))
    assert (first.identical_share, first.change) == (None, None)
    assert first.change_from_start == pytest.approx(math.sqrt(9 + 4) / 2)
    assert second.identical_share == 3 / 4
    assert second.change == pytest.approx(1 / 5)
    assert second.not_loaded == ()


def test_identical_means_every_bit(tmp_path: Path) -> None:
    save(tmp_path, 1, a=torch.tensor([2.0, 0.0, 1.0, 1.0]))
    save(tmp_path, 2, a=torch.tensor([2.0, -0.0, 1.0, math.nextafter(1.0, 2.0)]))  # rounded to 1 in float32
    save(tmp_path, 3, a=torch.tensor([2.0, -0.0, 1.0, 1.0 + 2**-23]))
    shares = [fact.identical_share for fact in facts(tmp_path)]
    assert shares == [None, 3 / 4, 3 / 4]


def test_weights_that_are_not_finite_have_no_moments(tmp_path: Path) -> None:
    save(tmp_path, 1, a=torch.tensor([1.0, math.nan]))
    save(tmp_path, 2, a=torch.tensor([1.0, math.inf]))
    for fact in facts(tmp_path):
        assert (fact.mean, fact.std, fact.change, fact.identical_share) == (None,) * 4


def test_another_type_of_number_is_no_identity_and_no_change(tmp_path: Path) -> None:
    save(tmp_path, 1, a=torch.ones(4))
    save(tmp_path, 2, a=torch.ones(4, dtype=torch.bfloat16))
    save(tmp_path, 3, a=torch.ones(4, dtype=torch.bfloat16))
    _, second, third = facts(tmp_path)
    assert (second.dtype, second.identical_share, second.change) == ("bfloat16", None, 0.0)
    assert (third.identical_share, third.change) == (1.0, 0.0)


def test_keys_that_could_not_be_loaded_are_named(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    torch.save({"a": torch.ones(2), "b": torch.ones(3), "c": torch.ones(1)}, tmp_path / "start.pth")
    save(tmp_path / "run", 5, a=torch.ones(2), b=torch.ones(4), d=torch.ones(1))
    (fact,) = facts(tmp_path / "run", tmp_path / "start.pth")
    assert fact.not_loaded == ("c: missing", "b: [4] for [3]")
    assert fact.change_from_start == 0.0  # of what both have


def test_two_architectures_are_not_compared(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    save(tmp_path / "run", 1, a=torch.ones(2))
    torch.save({"z": torch.ones(2)}, tmp_path / "start.pth")
    with pytest.raises(ValueError, match=r"of one architecture, but .*step_1.pth .*start.pth \(first keys a and z\)"):
        facts(tmp_path / "run", tmp_path / "start.pth")
    save(tmp_path / "run", 2, a=torch.ones(3))
    with pytest.raises(ValueError, match=r"of one architecture, but .*step_2.pth .* as .*step_1.pth"):
        facts(tmp_path / "run")


def test_only_two_files_and_the_start_are_in_memory(tmp_path: Path) -> None:
    for step in range(1, 7):
        save(tmp_path, step, a=torch.full((997,), float(step)))
    start = tmp_path / "step_1.pth"

    def held() -> int:
        gc.collect()
        return sum(issubclass(type(one), Tensor) and one.shape == (997,) for one in gc.get_objects())

    before = held()
    most = max(held() - before for _ in each_fact(find_checkpoints(tmp_path).files, start))
    assert most == 3
