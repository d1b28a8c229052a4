"""Facts about the stored weights of a run, two files in memory at a time."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor

from tracking.diagnosis.stored import CheckpointFacts
from tracking.foreign.checkpoint_files import CheckpointFile
from tracking.foreign.stored_weights import read_stored_weights

#: Integers of each width in bytes, to compare floating point numbers bit for bit.
BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def gather_facts(files: Sequence[CheckpointFile], pretrained: Path | None) -> tuple[CheckpointFacts, ...]:
    """Read checkpoints one after the other and compare each with the one before and with the starting weights.

    Args:
        files: in the order of their steps.
        pretrained: weights that training started from.

    Raises:
        ValueError: a file cannot be read, or has no tensor in common with those that it is compared with.
    """
    return tuple(each_fact(files, pretrained))


def each_fact(files: Sequence[CheckpointFile], pretrained: Path | None) -> Iterator[CheckpointFacts]:
    """Yield the facts of each file; only it, the one before and the starting weights are held."""
    start = read_stored_weights(pretrained) if pretrained else None
    before: tuple[Path, dict[str, Tensor]] | None = None
    for file in files:
        tensors = read_stored_weights(file.path)
        if before is not None:
            require_common(tensors, before[1], file.path, before[0])
        if start is not None and pretrained is not None:
            require_common(tensors, start, file.path, pretrained)
        yield facts_of(file, tensors, before[1] if before else None, start)
        before = (file.path, tensors)


def facts_of(
    file: CheckpointFile,
    tensors: Mapping[str, Tensor],
    before: Mapping[str, Tensor] | None,
    start: Mapping[str, Tensor] | None,
) -> CheckpointFacts:
    """Measure one set of weights."""
    mean, std = moments(tensors)
    return CheckpointFacts(
        name=file.name,
        step=file.step,
        mean=finite(mean),
        std=finite(std),
        dtype=dtype_of(tensors),
        identical_share=identical_share(tensors, before) if before is not None else None,
        change=finite(change(tensors, before)) if before is not None else None,
        change_from_start=finite(change(tensors, start)) if start is not None else None,
        not_loaded=not_loaded(tensors, start) if start is not None else (),
    )


def require_common(given: Mapping[str, Tensor], other: Mapping[str, Tensor], file: Path, other_file: Path) -> None:
    """Refuse to compare weights of two architectures."""
    if not common(given, other):
        raise ValueError(
            f"checkpoints that are compared must be of one architecture, but {file} has no tensor of the same name and shape as "
            f"{other_file} (first keys {next(iter(given))} and {next(iter(other))}); give the files of one run"
        )


def common(given: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> list[str]:
    """The names that both have in the same shape."""
    return [name for name, tensor in given.items() if name in other and other[name].shape == tensor.shape]


def moments(tensors: Mapping[str, Tensor]) -> tuple[float, float]:
    """Mean and (population) standard deviation over all values, in double precision."""
    count = sum(tensor.numel() for tensor in tensors.values())
    if count == 0:
        return math.nan, math.nan
    mean = sum(tensor.double().sum().item() for tensor in tensors.values()) / count
    squares = sum((tensor.double() - mean).square().sum().item() for tensor in tensors.values())
    return mean, math.sqrt(squares / count)


def dtype_of(tensors: Mapping[str, Tensor]) -> str:
    """The type that most values have."""
    counts: Counter[torch.dtype] = Counter()
    for tensor in tensors.values():
        counts[tensor.dtype] += tensor.numel()
    return str(counts.most_common(1)[0][0]).removeprefix("torch.")


def identical_share(tensors: Mapping[str, Tensor], before: Mapping[str, Tensor]) -> float | None:
    """Share of the values in [0, 1] that are bit for bit as before.

    None where the types differ, so that bits cannot agree, and where values are not finite.
    """
    names = [name for name in common(tensors, before) if tensors[name].dtype == before[name].dtype]
    count = sum(tensors[name].numel() for name in names)
    if count == 0:
        return None
    if not all(tensors[name].isfinite().all() for name in names if tensors[name].is_floating_point()):
        return None  # weights that diverged stay NaN whatever the steps do
    return sum((bits(tensors[name]) == bits(before[name])).sum().item() for name in names) / count


def bits(tensor: Tensor) -> Tensor:
    """The values' bit patterns as integers: 0 differs from -0."""
    return tensor.contiguous().view(BITS[tensor.element_size()])


def change(tensors: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float | None:
    """L2 norm of the difference over the norm of the other, on what both have; None where the other is all zeros."""
    names = common(tensors, other)
    difference = sum((tensors[name].double() - other[name].double()).square().sum().item() for name in names)
    size = sum(other[name].double().square().sum().item() for name in names)
    return math.sqrt(difference / size) if size else None


def not_loaded(tensors: Mapping[str, Tensor], start: Mapping[str, Tensor]) -> tuple[str, ...]:
    """Keys of the starting weights that a checkpoint does not hold in that shape, each with the reason."""
    missing = [f"{name}: missing" for name in start if name not in tensors]
    misshaped = [
        f"{name}: {list(tensors[name].shape)} for {list(tensor.shape)}"
        for name, tensor in start.items()
        if name in tensors and tensors[name].shape != tensor.shape
    ]
    return (*missing, *misshaped)


def finite(value: float | None) -> float | None:
    """A number, or None where weights that are NaN or infinite have none."""
    return value if value is not None and math.isfinite(value) else None
