import pytest
import torch

from model.preflight.ranges import pool, range_of
from model.training.inputs import moments


def test_the_range_of_one_tensor() -> None:
    found = range_of(torch.tensor([-1.0, 1.0, 3.0, 5.0]))
    assert (found.minimum, found.maximum, found.mean) == (-1, 5, 2)
    assert found.std == pytest.approx(5**0.5)


def test_equal_parts_together_are_the_whole() -> None:
    values = torch.rand(4, 100, generator=torch.Generator().manual_seed(0)) * torch.tensor([[1.0], [2], [3], [4]])
    pooled, whole = pool([moments(part) for part in values]), range_of(values)
    assert (pooled.minimum, pooled.maximum) == (whole.minimum, whole.maximum)
    assert pooled.mean == pytest.approx(whole.mean, rel=1e-6)
    assert pooled.std == pytest.approx(whole.std, rel=1e-6)
