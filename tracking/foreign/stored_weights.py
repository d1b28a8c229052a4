"""Weights in a file of any training code: flat or nested, with or without its step; nothing in a file is ever executed."""

import pickle
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import safetensors
import torch
from safetensors.torch import load_file
from torch import Tensor

#: Endings of files that hold weights.
ENDINGS = (".pth", ".pt", ".safetensors")

#: Where training codes keep the weights in their checkpoints, the surest name first.
STATE_KEYS = ("model_state_dict", "state_dict", "model", "module", "network", "weights", "params")

#: Where they keep the number of finished steps.
STEP_KEYS = ("global_step", "step", "steps", "iteration", "n_iter")

#: What wrappers put before every key: data parallelism and torch.compile.
WRAPPERS = ("module.", "_orig_mod.")


def read_stored_weights(path: Path) -> dict[str, Tensor]:
    """Read the floating point tensors of a file onto the CPU.

    Raises:
        ValueError: the file is missing, damaged, of another kind, holds no weights, or a pickle that asks for code.
    """
    require_checkpoint(path)
    if path.suffix == ".safetensors":
        try:
            state: Mapping[str, Tensor] | None = load_file(path)
        except safetensors.SafetensorError as error:
            raise damaged(path, error) from error
    else:
        state = find_state(read_pickle(path))
    tensors = without_wrappers(state or {})
    if not tensors:
        raise ValueError(f"{path} must hold a state dict of tensors, but holds none; save model.state_dict() in it")
    return tensors


def read_step(path: Path) -> int | None:
    """The number of finished steps that a file names beside its weights, which are not read where the format allows it.

    Raises:
        ValueError: the file is missing, damaged, of another kind, or a pickle that asks for code.
    """
    require_checkpoint(path)
    if path.suffix != ".safetensors":
        return find_step(read_pickle(path))
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except safetensors.SafetensorError as error:
        raise damaged(path, error) from error
    return find_step({key: int(text) for key, text in metadata.items() if text.isdecimal()})


def require_checkpoint(path: Path) -> None:
    """Refuse what is no file with the ending of a checkpoint."""
    if not path.is_file():
        raise ValueError(f"a checkpoint must be a file, but {path} is none; give a .safetensors, .pth or .pt file")
    if path.suffix not in ENDINGS:
        raise ValueError(f"a checkpoint must end in {', '.join(ENDINGS)}, but {path} does not; rename or convert it")


def damaged(path: Path, error: Exception) -> ValueError:
    """What to say of a .safetensors file that cannot be read."""
    return ValueError(f"{path} must be a safetensors file, but {error}; fetch or save it again")


def read_pickle(path: Path) -> Any:
    """Read what torch.save wrote, with the reader that knows tensors and containers only."""
    try:
        # Mapped where the format allows it: the optimizer's state beside the weights is then never read.
        return torch.load(path, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(path))
    except Exception as error:  # torch's readers fail with a dozen types on damaged files; each is translated
        code = re.search(r"GLOBAL (\S+)", str(error)) if isinstance(error, pickle.UnpicklingError) else None
        if code:
            raise ValueError(
                f"{path} must hold tensors, numbers and texts only, but its pickle asks for {code[1]}, which is never run; "
                "save the state dict alone: torch.save(model.state_dict(), path)"
            ) from error
        raise ValueError(
            f"{path} must be a file of torch.save, but it is damaged or of another kind; fetch or save it again"
        ) from error


def find_state(content: Any, depth: int = 3) -> dict[str, Tensor] | None:
    """The state dict in a checkpoint: the content itself, or what lies under a usual name, at most `depth` levels down."""
    if not isinstance(content, Mapping) or depth == 0:
        return None
    tensors = {key: value for key, value in content.items() if isinstance(value, Tensor) and value.is_floating_point()}
    # A step kept as a tensor beside a nested state dict makes no state dict.
    if tensors and not any(isinstance(value, Mapping) for value in content.values()):
        return tensors
    for key in nested_keys(content):
        found = find_state(content[key], depth - 1)
        if found is not None:
            return found
    return None


def nested_keys(content: Mapping[Any, Any]) -> Iterator[Any]:
    """Keys under which weights may lie: the usual names first, never those of an optimizer."""
    yield from (key for key in STATE_KEYS if key in content)
    for key in content:
        if key not in STATE_KEYS and isinstance(key, str) and not re.search(r"optim|sched|scaler|ema|critic|disc", key):
            yield key


def find_step(content: Any) -> int | None:
    """The number of finished steps that a checkpoint names beside its weights."""
    if not isinstance(content, Mapping):
        return None
    for key in STEP_KEYS:
        value = content.get(key)
        if isinstance(value, Tensor) and value.numel() == 1 and not value.is_floating_point():
            value = value.item()
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def without_wrappers(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Floating point tensors by their names, less the prefixes that wrappers put before all of them."""
    tensors = {name: tensor for name, tensor in state.items() if tensor.is_floating_point()}
    while prefix := next((one for one in WRAPPERS if tensors and all(name.startswith(one) for name in tensors)), None):
        tensors = {name.removeprefix(prefix): tensor for name, tensor in tensors.items()}
    return tensors
