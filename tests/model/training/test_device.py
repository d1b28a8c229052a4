import pytest
import torch

from model.training.device import resolve_device


def test_auto_takes_cuda_when_it_is_there() -> None:
    assert resolve_device("auto").type == ("cuda" if torch.cuda.is_available() else "cpu")


def test_the_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


def test_a_device_that_is_not_there_is_refused_with_the_remedy() -> None:
    missing = f"cuda:{torch.cuda.device_count()}"
    with pytest.raises(ValueError, match=f'a device of this machine, but .{missing}. .* take "auto" or "cpu"'):
        resolve_device(missing)
