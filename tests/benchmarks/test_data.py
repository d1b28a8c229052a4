import json
from pathlib import Path

import pytest
import torch

from benchmarks.data import BUILD, CUT, DECODE, ENCODE, LOAD, RECALL, main, measure_data, size_mb
from model.recipe import Recipe
from model.settings import build, read_tables
from tests.commands import ROOT, TINY


def test_every_part_says_what_went_through(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    recipe = build(Recipe, read_tables(ROOT / "conf.toml", "cpu", [*TINY, f"data.cache_dir={cache}"]))
    result = measure_data(recipe, torch.device("cpu"))
    parts = result["parts"]
    assert all(part["seconds"] > 0 for part in parts.values())
    # 55 camera moves of at most 24 frames; 8 + 4 clips of 9 frames.
    assert result["videos"] == 55
    assert parts[DECODE]["frames"] == parts[RECALL]["frames"] == 55 * 24
    assert (parts[CUT]["clips"], parts[CUT]["frames"]) == (12, 108)
    assert (parts[ENCODE]["clips"], parts[ENCODE]["frames"]) == (8, 72)
    (bank,) = cache.rglob("*.safetensors")
    assert parts[BUILD]["mb"] == parts[LOAD]["mb"] == bank.stat().st_size / 1e6
    decoded = sum(path.stat().st_size for path in cache.rglob("*.npy")) / 1e6
    assert parts[DECODE]["mb"] == pytest.approx(decoded)


def test_sizes_are_of_a_file_or_of_all_files_below(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "b").write_bytes(bytes(1_500_000))
    (tmp_path / "c").write_bytes(bytes(500_000))
    assert size_mb(tmp_path / "a" / "b") == 1.5
    assert size_mb(tmp_path) == 2.0


def test_the_command_prints_and_writes_and_leaves_no_cache(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out, cache = tmp_path / "data.json", tmp_path / "cache"
    main(out, ROOT / "conf.toml", "cpu", [*TINY, f"data.cache_dir={cache}"])
    assert not cache.exists()
    lines = capsys.readouterr().out.splitlines()
    for name, part in json.loads(out.read_text())["parts"].items():
        (line,) = (line for line in lines if line.strip().startswith(name))
        assert f"{part['seconds']:.2f}" in line
