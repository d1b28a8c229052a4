"""python -m benchmarks.data: what decoding, cutting, encoding and reading the bank cost."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.clock import Clock
from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch
    from rich.table import Table
    from torch import Tensor

    from model.data.video import Video
    from model.recipe import Recipe

# The parts, as the table names them.
DECODE, RECALL = "decode into an empty cache", "find the same in the cache"
CUT, REFERENCE, ENCODE = "cut crops", "make the reference", "encode by the reference"
BUILD, REUSE, LOAD = "build the bank, videos in the cache", "build it again, bank in the cache", "load the bank's file"


def main(
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Time the way from data.source to the bank, in a temporary cache.

    Example: python -m benchmarks.data --set data.source=/path/to/videos
    """
    from model.recipe import Recipe
    from model.settings import build, change, read_tables
    from model.training.device import resolve_device

    console = make_console()
    recipe = build(Recipe, read_tables(config, resolve_profile(profile, speaker(console)), set_ or ()))
    device = resolve_device(recipe.training.device)
    with tempfile.TemporaryDirectory() as folder:
        result = measure_data(change(recipe, {"data.cache_dir": folder}), device)
    machine = describe_machine(device)
    console.print(to_table(machine, result))
    write_result(out, machine, result)


def measure_data(recipe: "Recipe", device: "torch.device") -> dict[str, Any]:
    """Time each part once, in the empty folder data.cache_dir: seconds, and how much went through.

    Returns:
        "source", and under "parts" by name: "seconds", "clips" and "frames" (0 where the part has none), "mb" that it
        left on the disk or read from there (0 likewise).
    """
    from model.bank import build_bank, load_bank
    from model.data.crops import cut_clips, training_cuts, validation_cuts
    from model.data.parallel import worker_count
    from model.data.split import split
    from model.network.reference import build_reference

    data, clock = recipe.data, Clock(device)
    cache = Path(data.cache_dir)
    with clock.part(DECODE):
        find_videos(recipe)
    cache_mb = size_mb(cache)
    with clock.part(RECALL):
        videos = find_videos(recipe)
    training, validation, _ = split(videos, data.validation_share)
    with clock.part(CUT):
        clips = cut_clips(training_cuts(training, data), data, worker_count(data))
        cut_clips(validation_cuts(validation, data), data, worker_count(data))
    with clock.part(REFERENCE):
        reference = build_reference(recipe.reference, recipe.network, clips, device)
    with clock.part(ENCODE):
        encode(reference, clips, recipe.training.batch_size, device)
    with clock.part(BUILD):
        bank = build_bank(recipe, device, ignore)
    with clock.part(REUSE):
        build_bank(recipe, device, ignore)
    with clock.part(LOAD):
        touch(load_bank(bank.path))
    bank_mb, decoded = size_mb(bank.path), sum(len(video.frames) for video in videos)
    cut, trained = data.training_clips + data.validation_clips, data.training_clips
    amounts = {
        DECODE: (0, decoded, cache_mb),
        RECALL: (0, decoded, cache_mb),
        CUT: (cut, cut * data.frames, 0.0),
        REFERENCE: (0, 0, 0.0),
        ENCODE: (trained, trained * data.frames, 0.0),
        BUILD: (cut, cut * data.frames, bank_mb),
        REUSE: (cut, cut * data.frames, bank_mb),
        LOAD: (cut, cut * data.frames, bank_mb),
    }
    parts = {
        name: {"seconds": clock.seconds[name], "clips": clips_, "frames": frames, "mb": mb}
        for name, (clips_, frames, mb) in amounts.items()
    }
    return {"source": data.source, "videos": len(videos), "reference": reference.name, "parts": parts}


def find_videos(recipe: "Recipe") -> "Sequence[Video]":
    """Decode the videos of the settings (or render the demo's), or find them in the cache."""
    from model.data.demo import make_demo
    from model.data.files import read_files

    read = make_demo if recipe.data.source == "demo" else read_files
    videos, _ = read(recipe.data, ignore)
    return videos


def encode(reference: Any, clips: "Tensor", batch_size: int, device: "torch.device") -> None:
    """Encode clips (uint8 NTCHW) batch by batch and bring the latents to the host, as a bank needs them."""
    import torch

    from model.data.pixels import to_unit

    with torch.inference_mode():
        for batch in clips.split(batch_size):
            reference.encode(to_unit(batch.to(device))).cpu()


def touch(bank: Any) -> None:
    """Read every value: a mapped file is read when its values are, and not before."""
    for tensor in (bank.training, bank.training_latents, bank.validation, bank.validation_round_trip):
        tensor.sum()


def ignore(_line: str) -> None:
    """Say nothing of what the parts report."""


def size_mb(path: Path) -> float:
    """Size of a file, or of all files in a folder, in MB of 10^6 bytes."""
    files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
    return sum(file.stat().st_size for file in files) / 1e6


def to_table(machine: dict[str, Any], result: dict[str, Any]) -> "Table":
    """The numbers for people."""
    title = f"{name_machine(machine)}; {result['videos']} videos of {result['source']}, reference {result['reference']}"
    table = make_table(title, "part", "seconds", "clips/s", "frames/s", "MB")
    for name, part in result["parts"].items():
        rates = [f"{part[kind] / part['seconds']:.0f}" if part[kind] else "-" for kind in ("clips", "frames")]
        table.add_row(name, f"{part['seconds']:.2f}", *rates, f"{part['mb']:.1f}" if part["mb"] else "-")
    return table


if __name__ == "__main__":
    run(main)
