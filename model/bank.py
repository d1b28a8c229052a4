"""The bank: the fixed crops with their reference latents that all trials of a study share."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.bank_size import state_size
from model.data.clip_sources import match_sources
from model.data.clips import ClipPlan, cut_plan, plan_clips
from model.data.pixels import to_unit
from model.data.tensor_file import find_fault, map_tensors, write_tensors
from model.network.reference import build_reference
from model.network.reference.base import Reference
from model.network.reference.pca import PcaReference, restore_pca
from model.network.taehv import check_length, check_size
from model.network.variants import architecture
from model.recipe import Recipe
from model.settings import scientific

#: Changes when a bank made by older code must not be read any more.
FORMAT = 2

TENSORS = ("training", "training_latents", "validation", "validation_round_trip")

#: Before the names of a fitted reference's own tensors in the file.
REFERENCE = "reference."


@dataclass(frozen=True)
class Bank:
    """Crops (uint8 NTCHW), their reference latents (float32 NTCHW) and where they come from.

    `validation_round_trip` is what the reference makes of the validation clips (float32 NTCHW, unclamped): the score of the
    teacher itself. `facts` holds the manifest of the files, the skipped ones and the reference's name and identity.
    `reference` holds the weights of a reference that was fitted on the training clips; one that is loaded has none here.
    """

    training: Tensor
    training_latents: Tensor
    validation: Tensor
    validation_round_trip: Tensor
    validation_names: tuple[str, ...]
    digest: str
    facts: dict[str, Any]
    path: Path
    reference: Mapping[str, Tensor] = field(default_factory=dict)


def build_bank(recipe: Recipe, device: torch.device, log: Callable[[str], None]) -> Bank:
    """Make the bank of a recipe, or read it when its clips, reference and network are those of an earlier one.

    What it will take is logged before anything is decoded. A file that is not whole is logged and made again.

    Raises:
        ValueError: the data, the clip size or the reference break a rule.
        OSError: the bank or the cache cannot be written.
    """
    shape = architecture(recipe.network)
    check_length(recipe.data.frames)
    check_size(recipe.data.crop_px, recipe.data.crop_px, shape.space_stride)
    log(state_size(recipe))
    plan = plan_clips(recipe.data, log)
    path = Path(recipe.data.cache_dir) / "banks" / f"{bank_key(recipe, plan.digest)}.safetensors"
    fault = find_fault(path) if path.exists() else ""
    if fault:
        log(f"bank: {path} is not whole and is made again: {fault}")
    if fault or not path.exists():
        write_bank(recipe, plan, path, device, log)
    return load_bank(path)


def bank_key(recipe: Recipe, digest: str) -> str:
    """Name of a bank: the clips' digest and all that its latents depend on, a local reference's weights included."""
    parts = [FORMAT, digest, scientific(recipe.reference), scientific(recipe.network), recipe.reference.source]
    path = Path(recipe.reference.source.split(":")[-1])
    if ":" in recipe.reference.source and path.exists():
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        parts += [[str(file.relative_to(path)), file.stat().st_size, file.stat().st_mtime_ns] for file in files]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]


def write_bank(recipe: Recipe, plan: ClipPlan, path: Path, device: torch.device, log: Callable[[str], None]) -> None:
    """Cut the clips, encode them with the reference and write the bank; each tensor is in memory once."""
    clips = cut_plan(plan, recipe.data)
    reference = build_reference(recipe.reference, recipe.network, clips.training, device)
    log(f"reference {reference.name}: encoding {len(clips.training)} training clips")
    batch_size = recipe.training.batch_size
    tensors = {
        "training": clips.training,
        "training_latents": in_batches(reference.encode, clips.training, batch_size, device),
        "validation": clips.validation,
        "validation_round_trip": in_batches(
            lambda video: reference.decode(reference.encode(video)), clips.validation, batch_size, device
        ),
    }
    if isinstance(reference, PcaReference):
        tensors |= {REFERENCE + name: value.cpu().contiguous() for name, value in reference.state_dict().items()}
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
    write_tensors(path, tensors, metadata)


def in_batches(function: Callable[[Tensor], Tensor], clips: Tensor, batch_size: int, device: torch.device) -> Tensor:
    """Apply a frozen function to uint8 clips, batch by batch; float32 result on the CPU, there once and not in parts."""
    whole = torch.empty(0)
    with torch.inference_mode():
        for first in range(0, len(clips), batch_size):
            part = function(to_unit(clips[first : first + batch_size].to(device)))
            if first == 0:
                whole = torch.empty(len(clips), *part.shape[1:])
            whole[first : first + batch_size] = part
    return whole


def load_bank(path: Path) -> Bank:
    """Map a bank that `build_bank` wrote: it is read as it is used, and processes that share it have it in memory once."""
    tensors, metadata = map_tensors(path)
    return Bank(
        **{name: tensors[name] for name in TENSORS},
        validation_names=tuple(json.loads(metadata["validation_names"])),
        digest=metadata["digest"],
        facts=json.loads(metadata["facts"]),
        path=path,
        reference={
            name.removeprefix(REFERENCE): tensor for name, tensor in tensors.items() if name.startswith(REFERENCE)
        },
    )


def sources_of(bank: Bank) -> dict[str, str]:
    """The source of each validation clip by the clip's name."""
    return match_sources(bank.validation_names, bank.facts["manifest"])


def reference_of(bank: Bank, recipe: Recipe, device: torch.device) -> Reference:
    """The reference that made a bank's latents; one that was fitted is read from the bank and not fitted again.

    Raises:
        ValueError: it cannot be loaded, or is another one by now.
    """
    if bank.reference:
        shape = architecture(recipe.network)
        built: Reference = restore_pca(
            recipe.reference.source, bank.reference, shape.time_stride, shape.space_stride
        ).to(device)
    else:
        built = build_reference(recipe.reference, recipe.network, bank.training, device)
    wanted = bank.facts["reference"]["identity"]
    if built.identity != wanted:
        raise ValueError(
            f"latents must come from the bank's reference {wanted}, but {recipe.reference.source} now is {built.identity}; "
            "bring back its weights, or make the bank again"
        )
    return built
