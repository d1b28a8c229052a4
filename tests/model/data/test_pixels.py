import pytest
import torch

from model.data.pixels import to_bytes, to_unit


def test_every_byte_survives_the_round_trip():
    bytes_ = torch.arange(256, dtype=torch.uint8)
    unit = to_unit(bytes_)
    assert unit.dtype == torch.float32
    assert unit[0] == 0
    assert unit[255] == 1
    assert torch.equal(to_bytes(unit), bytes_)


def test_dividing_twice_is_refused():
    with pytest.raises(TypeError, match=r"must be uint8 .* but are torch.float32"):
        to_unit(to_unit(torch.zeros(1, dtype=torch.uint8)))


def test_values_outside_the_range_are_clamped_and_halves_rounded():
    assert to_bytes(torch.tensor([-1.0, 0.0, 0.6 / 255, 1.0, 7.0])).tolist() == [0, 0, 1, 255, 255]
