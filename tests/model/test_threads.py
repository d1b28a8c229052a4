from typing import NoReturn

import pytest
import torch

from model.threads import torch_threads


def test_threads_come_back_also_after_an_error() -> None:
    before = torch.get_num_threads()
    inside = []

    def fail_inside() -> NoReturn:
        with torch_threads(before + 2):
            inside.append(torch.get_num_threads())
            raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        fail_inside()
    assert inside == [before + 2]
    assert torch.get_num_threads() == before
