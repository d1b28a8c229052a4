"""Weights as training codes store them, and files that are none."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from tests.tracking.foreign.failed_run import plain_model
from tracking.foreign.stored_weights import read_step, read_stored_weights


def after_a_step() -> tuple[nn.Module, torch.optim.Optimizer]:
    model = plain_model(0)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.zeros(1, 3, 4, 4)).sum().backward()
    optimizer.step()
    return model, optimizer


def wrapped(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {prefix + name: tensor for name, tensor in state.items()}


Content = Callable[[dict[str, Tensor], dict[str, Any]], Any]


@pytest.mark.parametrize(
    "content",
    [
        lambda state, optimizer: state,
        lambda state, optimizer: {"model": state, "optimizer": optimizer, "step": 7},
        lambda state, optimizer: {"optimizer": optimizer, "model_state_dict": state, "loss": torch.tensor(0.5)},
        lambda state, optimizer: {"optim_g": optimizer, "ema": {"a": torch.zeros(1)}, "generator": state},
        lambda state, optimizer: {"checkpoint": {"args": {"lr": 1e-4}, "state_dict": wrapped(state, "module.")}},
        lambda state, optimizer: {"module": wrapped(state, "module._orig_mod.")},
    ],
    ids=["flat", "model", "model_state_dict", "own name", "two levels", "wrapped twice"],
)
@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "legacy"])
def test_the_state_dict_is_found_wherever_it_lies(tmp_path: Path, content: Content, zipped: bool) -> None:
    model, optimizer = after_a_step()
    path = tmp_path / "model.pth"
    torch.save(content(model.state_dict(), optimizer.state_dict()), path, _use_new_zipfile_serialization=zipped)
    found = read_stored_weights(path)
    assert list(found) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert all(torch.equal(found[name], tensor) for name, tensor in model.state_dict().items())


def test_counters_are_no_weights(tmp_path: Path) -> None:
    torch.save(nn.BatchNorm2d(2).state_dict(), tmp_path / "a.pt")
    assert "num_batches_tracked" not in read_stored_weights(tmp_path / "a.pt")


@pytest.mark.parametrize(
    ("beside", "step"),
    [
        ({"global_step": 82000, "epoch": 3}, 82000),
        ({"step": torch.tensor(90000)}, 90000),
        ({"iteration": 5, "step": True}, 5),
        ({"epoch": 3}, None),
        ({"step": "many"}, None),
    ],
)
def test_the_step_beside_the_weights(tmp_path: Path, beside: dict[str, Any], step: int | None) -> None:
    torch.save({"model": plain_model(0).state_dict()} | beside, tmp_path / "a.pth")
    assert read_step(tmp_path / "a.pth") == step


def test_safetensors_with_and_without_a_step(tmp_path: Path) -> None:
    state = plain_model(0).state_dict()
    save_file(state, tmp_path / "a.safetensors", {"step": "90000", "format": "pt"})
    save_file(state, tmp_path / "b.safetensors")
    assert read_step(tmp_path / "a.safetensors") == 90000
    assert read_step(tmp_path / "b.safetensors") is None
    assert torch.equal(read_stored_weights(tmp_path / "a.safetensors")["0.weight"], state["0.weight"])


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def test_code_in_a_pickle_is_named_and_never_run(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    torch.save({"model": plain_model(0).state_dict(), "args": Command(mark)}, tmp_path / "evil.pth")
    for read in (read_stored_weights, read_step):
        with pytest.raises(ValueError, match=r"evil.pth must hold tensors.*asks for posix.system, which is never run"):
            read(tmp_path / "evil.pth")
    assert not mark.exists()


def torn(source: Path, share: float) -> None:
    source.write_bytes(source.read_bytes()[: int(source.stat().st_size * share)])


@pytest.mark.parametrize("share", [0.0, 0.3, 0.95])
@pytest.mark.parametrize("name", ["a.pth", "a.safetensors"])
@pytest.mark.parametrize("read", [read_stored_weights, read_step])
def test_damaged_files_are_refused(tmp_path: Path, share: float, name: str, read: Callable[[Path], Any]) -> None:
    path, state = tmp_path / name, plain_model(0).state_dict()
    torch.save(state, path) if path.suffix == ".pth" else save_file(state, path)
    torn(path, share)
    with pytest.raises(ValueError, match=rf"{name} must be a .*again$"):
        read(path)


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [1, 2], {"counter": torch.tensor(3)}])
def test_files_without_weights(tmp_path: Path, content: Any) -> None:
    torch.save(content, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"a.pth must hold a state dict of tensors, but holds none"):
        read_stored_weights(tmp_path / "a.pth")


def test_paths_that_are_no_checkpoints(tmp_path: Path) -> None:
    (tmp_path / "a.ckpt").write_bytes(b"")
    with pytest.raises(ValueError, match=r"must end in \.pth, \.pt, \.safetensors, but .*a\.ckpt does not"):
        read_stored_weights(tmp_path / "a.ckpt")
    with pytest.raises(ValueError, match=r"a checkpoint must be a file, but .* is none"):
        read_stored_weights(tmp_path)
