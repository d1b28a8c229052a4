import pytest
import torch

from model.training import slices
from model.training.slices import fill, moved, numbered

CPU = torch.device("cpu")


def test_what_is_there_already_is_not_copied() -> None:
    tensor = torch.randn(4, 3)
    assert moved(tensor, CPU, torch.float32) is tensor
    converted = moved(tensor, CPU, torch.bfloat16)
    assert torch.equal(converted, tensor.to(torch.bfloat16))


@pytest.mark.parametrize("slice_bytes", [1, 25, 10_000])
def test_every_row_arrives_whatever_the_slice(monkeypatch: pytest.MonkeyPatch, slice_bytes: int) -> None:
    """Seven rows of twelve bytes: one, two, or all at once."""
    monkeypatch.setattr(slices, "SLICE_BYTES", slice_bytes)
    tensor = torch.randn(7, 3)
    place = torch.empty(7, 3, dtype=torch.bfloat16)
    assert fill(place, tensor) is place
    assert torch.equal(place, tensor.to(torch.bfloat16))


def test_a_device_has_its_number() -> None:
    assert numbered(CPU) == CPU
    if torch.cuda.is_available():
        assert numbered(torch.device("cuda")) == torch.device("cuda", torch.cuda.current_device())
