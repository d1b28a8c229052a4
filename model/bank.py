"""The bank: the fixed crops with their reference latents that all trials of a study share."""

import hashlib
import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from model.data.clips import Clips, load_clips
from model.data.pixels import to_unit
from model.network.reference import build_reference
from model.network.reference.base import Reference
from model.network.taehv import check_length, check_size
from model.network.variants import architecture
from model.recipe import Recipe
from model.settings import scientific

#: Changes when a bank made by older code must not be read any more.
FORMAT = 1

TENSORS = ("training", "training_latents", "validation", "validation_round_trip")


@dataclass(frozen=True)
class Bank:
    """Crops (uint8 NTCHW), their reference latents (float32 NTCHW) and where they come from.

    `validation_round_trip` is what the reference makes of the validation clips (float32 NTCHW, unclamped): the score of the
    teacher itself. `facts` holds the manifest of the files, the skipped ones and the reference's name and identity.
    """

    training: Tensor
    training_latents: Tensor
    validation: Tensor
    validation_round_trip: Tensor
    validation_names: tuple[str, ...]
    digest: str
    facts: dict[str, Any]
    path: Path


def build_bank(recipe: Recipe, device: torch.device, log: Callable[[str], None]) -> Bank:
    """Make the bank of a recipe, or read it when its clips, reference and network are those of an earlier one.

    Raises:
        ValueError: the data, the clip size or the reference break a rule.
    """
    shape = architecture(recipe.network)
    check_length(recipe.data.frames)
    check_size(recipe.data.crop_px, recipe.data.crop_px, shape.space_stride)
    clips = load_clips(recipe.data, log)
    path = Path(recipe.data.cache_dir) / "banks" / f"{bank_key(recipe, clips.digest)}.safetensors"
    if not path.exists():
        reference = build_reference(recipe.reference, recipe.network, clips.training, device)
        log(f"reference {reference.name}: encoding {len(clips.training)} training clips")
        write_bank(clips, reference, path, recipe.training.batch_size, device)
    return load_bank(path)


def bank_key(recipe: Recipe, digest: str) -> str:
    """Name of a bank: the clips' digest and all that its latents depend on, a local reference's weights included."""
    parts = [FORMAT, digest, scientific(recipe.reference), scientific(recipe.network), recipe.reference.source]
    path = Path(recipe.reference.source.split(":")[-1])
    if ":" in recipe.reference.source and path.exists():
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        parts += [[str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def write_bank(clips: Clips, reference: Reference, path: Path, batch_size: int, device: torch.device) -> None:
    """Encode all clips with the reference and write the bank under a temporary name, then rename it."""
    tensors = {
        "training": clips.training,
        "training_latents": in_batches(reference.encode, clips.training, batch_size, device),
        "validation": clips.validation,
        "validation_round_trip": in_batches(
            lambda video: reference.decode(reference.encode(video)), clips.validation, batch_size, device
        ),
    }
    facts = {
        "manifest": list(clips.manifest),
        "skipped": [{"name": skipped.name, "rule": skipped.rule} for skipped in clips.skipped],
        "training_names": list(clips.training_names),
        "reference": {"name": reference.name, "identity": reference.identity},
    }
    metadata = {
        "digest": clips.digest,
        "validation_names": json.dumps(clips.validation_names),
        "facts": json.dumps(facts),
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    os.close(handle)
    try:
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, temporary, metadata)
        with Path(temporary).open("rb") as file:
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def in_batches(function: Callable[[Tensor], Tensor], clips: Tensor, batch_size: int, device: torch.device) -> Tensor:
    """Apply a frozen function to uint8 clips, batch by batch; float32 result on the CPU."""
    with torch.inference_mode():
        return torch.cat([function(to_unit(batch.to(device))).float().cpu() for batch in clips.split(batch_size)])


def load_bank(path: Path) -> Bank:
    """Read a bank that `build_bank` wrote."""
    with safe_open(path, framework="pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in TENSORS}
    return Bank(
        **tensors,
        validation_names=tuple(json.loads(metadata["validation_names"])),
        digest=metadata["digest"],
        facts=json.loads(metadata["facts"]),
        path=path,
    )
