import os
from typing import Any

import pytest
import torch

from model.ranks import ALONE, LostRankError, Ranks, open_ranks
from tests.together import together


def say_everything(ranks: Ranks) -> dict[str, Any]:
    own = torch.tensor([1.0, 4.0]) if ranks.first else torch.tensor([3.0, 0.0])
    leaf = own.clone().requires_grad_()
    mean = ranks.average(leaf)
    # The loss of each rank counts with half: d/dleaf of the mean over ranks of (1 + rank) * sum(mean).
    ((1 + ranks.rank) * mean.sum()).backward()
    return {
        "slice": ranks.slice_of(6),
        "average": ranks.average_(own.clone()),
        "mean": mean.detach(),
        "gradient": leaf.grad,
        "std": ranks.std(own),
        "gather": ranks.gather(own[None]),
        "any": (ranks.any(False), ranks.any(ranks.rank == 1)),
        "told": ranks.tell({"folder": "x"} if ranks.first else None),
    }


def test_two_ranks_say_the_same() -> None:
    first, second = together(say_everything)
    assert (first.pop("slice"), second.pop("slice")) == (slice(0, 3), slice(3, 6))
    for said in (first, second):
        assert said["any"] == (False, True)
        assert said["told"] == {"folder": "x"}
        assert said["average"].tolist() == said["mean"].tolist() == [2.0, 2.0]
        assert said["gradient"].tolist() == [1.5, 1.5]
        assert said["gather"].tolist() == [[1.0, 4.0], [3.0, 0.0]]
        assert said["std"].item() == pytest.approx(torch.tensor([1.0, 4.0, 3.0, 0.0]).std(correction=0).item())


def keep_the_group_as_a_default(_ranks: Ranks) -> str:
    import torch.distributed.nn.functional as functional  # as torch.compile does

    return functional.__name__


def test_nothing_of_a_group_is_left_when_the_ranks_part() -> None:
    assert together(keep_the_group_as_a_default) == ["torch.distributed.nn.functional"] * 2  # which sees what is left


def lose_the_second(ranks: Ranks) -> str:
    if not ranks.first:
        os._exit(3)
    with pytest.raises(LostRankError) as raised:
        ranks.wait()
    return str(raised.value)


def test_a_rank_that_dies_is_an_error_of_the_others_in_one_line() -> None:
    said, _ = together(lose_the_second, codes=(0, 3))
    assert said.startswith("all 2 processes of a training must live, but rank 0 has lost another one (")
    assert "\n" not in said


def test_alone_nothing_is_sent_and_everything_is_what_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with open_ranks() as ranks:
        assert ranks is ALONE
    tensor = torch.tensor([1.0, 2.0])
    assert ranks.average_(tensor) is ranks.average(tensor) is ranks.gather(tensor) is tensor
    assert torch.equal(ranks.std(tensor), tensor.std(correction=0))
    assert (ranks.any(True), ranks.any(False), ranks.tell(3), ranks.slice_of(5)) == (True, False, 3, slice(0, 5))


def test_several_processes_that_cannot_find_each_other_are_wrong_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(ValueError, match="RANK expected"), open_ranks():
        pass
