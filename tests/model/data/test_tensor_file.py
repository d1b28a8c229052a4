import json
import resource
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model.data.tensor_file import find_fault, map_tensors, write_tensors


@pytest.fixture
def tensors() -> dict[str, torch.Tensor]:
    """An odd number of bytes stands before the floats by name, so their order in the file matters."""
    generator = torch.Generator().manual_seed(0)
    return {
        "bytes": torch.randint(0, 256, (3, 7), dtype=torch.uint8, generator=generator),
        "floats": torch.randn(5, 2, generator=generator),
    }


def test_the_library_reads_it(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "new" / "file.safetensors"
    write_tensors(path, tensors, {"names": "两 clips"})
    read = load_file(path)
    assert set(read) == set(tensors)
    for name, tensor in tensors.items():
        assert read[name].dtype == tensor.dtype
        assert torch.equal(read[name], tensor)
    assert [entry.name for entry in path.parent.iterdir()] == ["file.safetensors"]


def test_it_is_laid_out_as_the_format_says(tmp_path: Path) -> None:
    path = tmp_path / "file.safetensors"
    write_tensors(path, {"a": torch.tensor([1, 2, 3], dtype=torch.uint8), "b": torch.tensor([1.0])}, {"k": "v"})
    raw = path.read_bytes()
    length = int.from_bytes(raw[:8], "little")
    assert length % 8 == 0
    assert json.loads(raw[8 : 8 + length]) == {
        "__metadata__": {"k": "v"},
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        "a": {"dtype": "U8", "shape": [3], "data_offsets": [4, 7]},
    }
    assert raw[8 + length :] == b"\x00\x00\x80\x3f\x01\x02\x03"


def test_what_is_mapped_is_aligned_and_outlives_a_replacement(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "file.safetensors"
    write_tensors(path, tensors, {"version": "1"})
    mapped, metadata = map_tensors(path)
    assert metadata == {"version": "1"}
    assert mapped["floats"].data_ptr() % 4 == 0
    assert str(path) in Path("/proc/self/maps").read_text()
    write_tensors(path, {name: torch.zeros_like(tensor) for name, tensor in tensors.items()}, {"version": "2"})
    assert all(torch.equal(mapped[name], tensor) for name, tensor in tensors.items())
    assert all(not tensor.any() for tensor in map_tensors(path)[0].values())


def test_a_file_that_is_not_whole_is_told(tmp_path: Path, tensors: dict[str, torch.Tensor]) -> None:
    path = tmp_path / "file.safetensors"
    write_tensors(path, tensors, {})
    whole = path.read_bytes()
    assert find_fault(path) == ""
    for broken in (b"", whole[:5], whole[:40], whole[:-1], whole + b"\0", bytes(len(whole))):
        path.write_bytes(broken)
        assert find_fault(path) != "", len(broken)


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_tensors(tmp_path / "file", {"a": torch.zeros(1 << 17, dtype=torch.uint8)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(tmp_path.iterdir()) == []
