"""Reading and writing weights: .pth and .safetensors in, .safetensors out; nothing in a file is ever executed."""

import hashlib
import os
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV
from model.network.variants import ENCODER_CHANNELS, VARIANTS

AS_PUBLISHED: dict[str, Any] = {
    "latent_channels": 0,
    "patch_size": 0,
    "encoder_time_strides": (),
    "decoder_time_strides": (),
    "initialisation": "torch",
    "weights": "",
}
ALONE = "save the state dict alone: torch.save(model.state_dict(), path)"
SHOWN = 3  # keys that an error names before it says how many more there are


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a flat state dict from .safetensors, .pth or .pt onto the CPU.

    Raises:
        ValueError: the file is missing, of another kind, truncated, or a pickle that holds more than tensors.
    """
    if not path.is_file():
        raise ValueError(f"weights must be a file, but {path} is none; give the path of a .safetensors or .pth file")
    if path.suffix == ".safetensors":
        try:
            return safetensors.torch.load_file(path)
        except safetensors.SafetensorError as error:
            raise ValueError(f"{path} must be a safetensors file, but {error}; fetch or save it again") from error
    if path.suffix not in (".pth", ".pt"):
        raise ValueError(f"weights must end in .safetensors, .pth or .pt, but {path} does not; rename or convert it")
    return read_pickle(path)


def read_pickle(path: Path) -> dict[str, Tensor]:
    """Read a state dict that torch.save wrote, with the reader that knows tensors and containers only."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (
        Exception
    ) as error:  # torch's readers fail with a dozen types on damaged files; each is translated, none dropped
        code = re.search(r"GLOBAL (\S+)", str(error)) if isinstance(error, pickle.UnpicklingError) else None
        if code:
            raise ValueError(
                f"{path} must hold tensors only, but its pickle asks for {code[1]}, which is never run; {ALONE}"
            ) from error
        raise ValueError(
            f"{path} must be a file of torch.save, but it is damaged or of another kind; fetch or save it again"
        ) from error
    if not isinstance(state, dict) or not state or not all(isinstance(value, Tensor) for value in state.values()):
        raise ValueError(f"{path} must hold one flat state dict of tensors, but holds something else; {ALONE}")
    return state


def load_weights(model: nn.Module, path: Path) -> None:
    """Load a file strictly into `model`: every key, every shape, nothing left over; the model's dtype is kept.

    Raises:
        ValueError: the file cannot be read, or its keys or shapes are not the model's; of a TAEHV, the variant that
            would fit is named.
    """
    state = read_weights(path)
    faults = mismatches(model.state_dict(), state)
    if faults:
        fitting = fitting_variants(state) if isinstance(model, TAEHV) else []
        remedy = f"it fits {' or '.join(fitting)}" if fitting else "give the weights of this architecture"
        raise ValueError(f"{path} must hold exactly the model's tensors, but {'; '.join(faults)}; {remedy}")
    model.load_state_dict(state, strict=True)


def mismatches(wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> list[str]:
    """Say in words which keys are missing, unexpected or of another shape; [] when all agree."""
    missing = [key for key in wanted if key not in given]
    unexpected = [key for key in given if key not in wanted]
    misshaped = [
        f"{key} {list(given[key].shape)} for {list(tensor.shape)}"
        for key, tensor in wanted.items()
        if key in given and given[key].shape != tensor.shape
    ]
    kinds = (("lacks", missing), ("also has", unexpected), ("has other shapes", misshaped))
    return [f"{kind}: {shorten(keys)}" for kind, keys in kinds if keys]


def shorten(keys: list[str]) -> str:
    """The first keys and how many more there are."""
    more = f" and {len(keys) - SHOWN} more" if len(keys) > SHOWN else ""
    return ", ".join(keys[:SHOWN]) + more


def fitting_variants(state: Mapping[str, Tensor]) -> list[str]:
    """Settings of the published variants, at the width of the state dict, that it would load into."""
    width = width_of(state)
    fitting = []
    for variant in VARIANTS:
        # Unchecked: a foreign file may have a width that the settings do not allow, and then simply fits nothing.
        settings = NetworkSettings.model_construct(variant=variant, width=width, **AS_PUBLISHED)
        with torch.device("meta"):
            candidate = TAEHV(settings).state_dict()
        if not mismatches(candidate, state):
            fitting.append(f"network.variant={variant} with network.width={width:g}")
    return fitting


def width_of(state: Mapping[str, Tensor]) -> float:
    """The width setting that a TAEHV state dict was made with; 1 where it does not say."""
    stem = state.get("encoder.0.weight")
    return 1.0 if stem is None or stem.ndim != 4 else stem.shape[0] / ENCODER_CHANNELS


def save_weights(state: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str]) -> None:
    """Write a state dict as .safetensors under a temporary name and rename it: there is never half a file.

    Args:
        state: tensors of any device; copies are written, so that shared memory does no harm.
        path: the file; its folder must exist.
        metadata: texts for the file's header.
    """
    tensors = {key: tensor.detach().to("cpu", copy=True).contiguous() for key, tensor in state.items()}
    content = safetensors.torch.save(tensors, dict(metadata))
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """12 hex digits of the sha256 of names, shapes, dtypes and bytes: equal weights, equal fingerprint."""
    digest = hashlib.sha256()
    for key in sorted(state):
        tensor = state[key].detach().cpu().contiguous()
        digest.update(f"{key} {tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:12]
