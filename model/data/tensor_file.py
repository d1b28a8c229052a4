"""A safetensors file written without a copy of what goes into it; the library's own writer copies every tensor first.

Format: https://github.com/huggingface/safetensors#format. Eight bytes, little-endian, of the header's length; the header, JSON,
padded with spaces; the tensors, contiguous, one behind the other.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

#: The format's names of the types that a file of ours can hold.
DTYPES = {torch.float32: "F32", torch.uint8: "U8"}

#: Tensors are mapped where they lie, and a float32 must lie at a multiple of its size.
ALIGNMENT = 8


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Write contiguous tensors of the CPU under a temporary name, then rename it; on failure nothing is left.

    Raises:
        OSError: the folder cannot be written to, or the disk is full.
    """
    # The widest type first, so that what follows is aligned whatever its number of elements.
    ordered = dict(sorted(tensors.items(), key=lambda pair: -pair[1].dtype.itemsize))
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(make_header(ordered, metadata))
            for tensor in ordered.values():
                assert tensor.is_contiguous()
                file.write(tensor.numpy().data.cast("B"))
            file.flush()
            os.fsync(file.fileno())  # else a power cut may leave the final name on an empty file
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


def make_header(tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> bytes:
    """Length and JSON of a file that holds the tensors in this order."""
    header: dict[str, object] = {"__metadata__": metadata}
    end = 0
    for name, tensor in tensors.items():
        begin, end = end, end + tensor.nbytes
        header[name] = {
            "dtype": DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [begin, end],
        }
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def find_fault(path: Path) -> str:
    """Say why a file is not whole, "" when it is: its header must be there and tell of as many bytes as follow it."""
    try:
        with safe_open(path, framework="pt"):
            return ""
    except SafetensorError as error:
        return str(error)


def map_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Map the tensors of a whole file, and read its metadata.

    Nothing is read until it is used. Pages that were used count as resident in every process that maps the file, but are in
    memory once, and the system drops them when it needs the room. A file that is replaced by renaming stays as it was for
    those who have it mapped; one that is cut short in place kills them with SIGBUS, so nothing here ever does that.
    """
    with safe_open(path, framework="pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118 - no dict: safetensors' file cannot be iterated
