import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.bank import TENSORS, Bank, bank_key, build_bank, sources_of
from model.bank_size import state_size
from model.data.pixels import to_unit
from model.network.reference import build_reference
from model.network.reference.base import Reference
from model.network.taehv import TAEHV
from model.network.weights import save_weights
from model.recipe import Recipe
from model.settings import build, read_tables
from tests.commands import ROOT, TINY, environment

CPU = torch.device("cpu")


@pytest.fixture
def recipe(tiny_changes: list[str]) -> Callable[..., Recipe]:
    """Settings of eight training clips of the demo; takes further changes."""

    def make(*changes: str) -> Recipe:
        return build(Recipe, read_tables(ROOT / "conf.toml", "cpu", [*tiny_changes, *changes]))

    return make


@pytest.fixture
def banks(tmp_path: Path, cache_dir: Path) -> str:
    """The change that gives a test a place of its own for banks; decoded demo clips are shared."""
    own = tmp_path / "cache"
    own.mkdir()
    for shared in cache_dir.iterdir():
        if shared.name != "banks":
            (own / shared.name).symlink_to(shared)
    return f"data.cache_dir={own}"


def silent(_line: str) -> None:
    pass


def reference_of(recipe: Recipe, bank: Bank) -> Reference:
    return build_reference(recipe.reference, recipe.network, bank.training, CPU)


def test_it_holds_the_clips_and_what_the_reference_makes_of_them(recipe: Callable[..., Recipe]) -> None:
    bank = build_bank(recipe(), CPU, silent)
    assert (bank.training.shape, bank.training.dtype) == ((8, 9, 3, 24, 24), torch.uint8)
    assert (bank.validation.shape, bank.validation.dtype) == ((4, 9, 3, 24, 24), torch.uint8)
    assert (bank.training_latents.shape, bank.training_latents.dtype) == ((8, 3, 16, 3, 3), torch.float32)
    assert bank.validation_round_trip.shape == bank.validation.shape
    assert bank.validation_round_trip.dtype == torch.float32
    assert len(set(bank.validation_names)) == 4

    reference = reference_of(recipe(), bank)
    torch.testing.assert_close(bank.training_latents, reference.encode(to_unit(bank.training)))
    round_trip = reference.decode(reference.encode(to_unit(bank.validation)))
    torch.testing.assert_close(bank.validation_round_trip, round_trip)
    assert bank.facts["reference"] == {"name": "pca", "identity": reference.identity}


def test_its_facts_say_where_the_clips_come_from(recipe: Callable[..., Recipe]) -> None:
    bank = build_bank(recipe(), CPU, silent)
    sides = {
        side: {row["source"] for row in bank.facts["manifest"] if row["side"] == side}
        for side in ("training", "validation")
    }
    assert sides["training"]
    assert sides["validation"]
    assert not sides["training"] & sides["validation"]
    assert len(bank.facts["training_names"]) == 8
    sources = sources_of(bank)
    assert list(sources) == list(bank.validation_names)
    assert set(sources.values()) == sides["validation"]


def test_the_second_call_reads_the_file(recipe: Callable[..., Recipe], banks: str) -> None:
    lines: list[str] = []
    first = build_bank(recipe(banks), CPU, lines.append)
    before = first.path.stat().st_mtime_ns, first.path.read_bytes()
    assert any("encoding 8 training clips" in line for line in lines)
    lines.clear()
    again = build_bank(recipe(banks), CPU, lines.append)
    assert (again.path.stat().st_mtime_ns, again.path.read_bytes()) == before
    assert not any("encoding" in line for line in lines)
    assert torch.equal(again.training_latents, first.training_latents)
    assert (again.facts, again.digest, again.validation_names) == (first.facts, first.digest, first.validation_names)


def test_two_makings_agree_to_the_bit(recipe: Callable[..., Recipe], banks: str) -> None:
    first = build_bank(recipe(banks), CPU, silent)
    first.path.unlink()
    second = build_bank(recipe(banks), CPU, silent)
    for name in TENSORS:
        assert torch.equal(getattr(first, name), getattr(second, name)), name


def test_all_that_the_latents_depend_on_is_in_its_name(recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    bank = build_bank(recipe(), CPU, silent)
    assert bank.path.stem == bank_key(recipe(), bank.digest)
    assert bank_key(recipe("losses.encoder=0.5", "training.steps=9"), bank.digest) == bank.path.stem
    others = {
        bank_key(recipe(f"reference.source=taehv:{tmp_path}/w.pth"), bank.digest),
        bank_key(recipe("network.latent_channels=8"), bank.digest),
        build_bank(recipe("data.seed=1"), CPU, silent).path.stem,
    }
    assert len(others | {bank.path.stem}) == 4


def test_a_checkpoint_that_changed_is_another_reference(recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    path = tmp_path / "teacher.safetensors"
    asked = recipe(f"reference.source=taehv:{path}")
    found = []
    for seed in (1, 2):
        save_weights(TAEHV(asked.network, seed=seed).state_dict(), path, {})
        os.utime(path, (seed, seed))  # a file system's clock may be too coarse to tell the two apart
        bank = build_bank(asked, CPU, silent)
        torch.testing.assert_close(
            bank.training_latents, reference_of(asked, bank).encode(to_unit(bank.training)), rtol=0, atol=1e-5
        )
        found.append(bank)
    assert found[0].path != found[1].path
    assert not torch.allclose(found[0].training_latents, found[1].training_latents)


def test_what_a_killed_command_left_half_written_is_not_read(recipe: Callable[..., Recipe], banks: str) -> None:
    folder = Path(recipe(banks).data.cache_dir) / "banks"
    folder.mkdir()
    (folder / "tmp0.tmp").write_bytes(b"half a bank")
    bank = build_bank(recipe(banks), CPU, silent)
    assert bank.path.suffix == ".safetensors"
    assert len(bank.training) == 8


def test_its_size_is_said_before_anything_is_read(recipe: Callable[..., Recipe], banks: str) -> None:
    lines: list[str] = []
    with pytest.raises(ValueError, match="does not exist"):
        build_bank(recipe(banks, "data.source=/nowhere"), CPU, lines.append)
    assert lines == [state_size(recipe())]


@pytest.mark.parametrize("left", [0, 100, -1])
def test_a_bank_that_a_power_cut_left_broken_is_made_again(
    recipe: Callable[..., Recipe], banks: str, left: int
) -> None:
    lines: list[str] = []
    path = build_bank(recipe(banks), CPU, silent).path
    whole = path.read_bytes()
    path.write_bytes(whole[:left])
    assert build_bank(recipe(banks), CPU, lines.append).path == path
    assert len([line for line in lines if line.startswith(f"bank: {path} is not whole and is made again: ")]) == 1
    assert path.read_bytes() == whole


def test_a_bank_that_is_there_is_not_cut_again(recipe: Callable[..., Recipe], banks: str) -> None:
    """The decoded videos are listed but none is read: of what was cut, only the bank is left."""
    settings = recipe(banks)
    first = build_bank(settings, CPU, silent)
    fresh = recipe(banks, "data.validation_clips=5")
    videos = Path(settings.data.cache_dir) / "videos"
    kept = {path.name: path.read_bytes() for path in videos.iterdir()}
    videos.unlink()
    videos.mkdir()
    for name, content in kept.items():
        (videos / name).write_bytes(content[:128])  # the header that numpy wrote, and no frame
    for name, content in kept.items():
        os.truncate(videos / name, len(content))
    assert torch.equal(build_bank(settings, CPU, silent).training, first.training)
    with pytest.raises(ValueError, match="training clips that vary"):
        build_bank(fresh, CPU, silent)


MEASURE = """
import gc, json, sys
from pathlib import Path
import torch
from model.bank import build_bank
from model.bank_size import bank_bytes
from model.recipe import Recipe
from model.settings import build, read_tables

def memory(kind):
    rows = dict(row.split(":", 1) for row in Path("/proc/self/status").read_text().splitlines())
    return int(rows[kind].split()[0]) * 1024

def grown(changes):
    small, asked = [
        build(Recipe, read_tables(Path("conf.toml"), "cpu", [*changes, *more]))
        for more in (["data.training_clips=40", "data.validation_clips=4"], [])
    ]
    build_bank(small, torch.device("cpu"), [].append)  # libraries, threads and the videos: not the bank's
    gc.collect()
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = memory("VmRSS")
    build_bank(asked, torch.device("cpu"), [].append)
    return memory("VmHWM") - before, bank_bytes(asked).while_built

print(json.dumps([grown(changes) for changes in json.loads(sys.argv[1])]))
"""


@pytest.mark.skipif(not os.access("/proc/self/clear_refs", os.W_OK), reason="needs Linux's record of peak memory")
def test_building_takes_the_memory_that_was_stated(banks: str, tmp_path: Path) -> None:
    """81 MiB of bank with a teacher that is loaded, a quarter of it latents; and 178 MiB with one that is fitted."""
    same = [*TINY, banks, "training.batch_size=4"]
    loaded = [
        *("network.variant=ltx", "network.width=0.015625", "network.latent_channels=2048"),
        *(f"reference.source=taehv:{tmp_path / 'w.pth'}", "data.crop_px=32"),
        *("data.training_clips=1400", "data.validation_clips=170"),
    ]
    fitted = ["data.crop_px=48", "data.training_clips=220", "data.validation_clips=10"]
    teacher = build(Recipe, read_tables(ROOT / "conf.toml", "cpu", loaded))
    torch.save(TAEHV(teacher.network).state_dict(), tmp_path / "w.pth")
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps([[*same, *fitted], [*same, *loaded]])],
        cwd=ROOT,
        # Tensors of the bank's size are taken from the system and given back at once; the batches' memory is used again.
        env=environment(MALLOC_MMAP_THRESHOLD_=str(4 * 2**20)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for grown, stated in json.loads(done.stdout):
        print(grown / 2**20, stated / 2**20)
        assert stated > 80 * 2**20
        assert grown == pytest.approx(stated, rel=0.1)


def test_a_full_disk_leaves_no_bank(recipe: Callable[..., Recipe], banks: str) -> None:
    settings = recipe(banks)
    # The folder of decoded videos is filled first, so that the bank is all that is left to write.
    build_bank(settings, CPU, silent).path.unlink()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))  # a bank of these clips has 0.4 MB
    try:
        with pytest.raises(Exception, match="File too large"):
            build_bank(settings, CPU, silent)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((Path(settings.data.cache_dir) / "banks").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("data.crop_px=20", "multiples of 8 px .* 20 x 20; take 16 x 16"),
        ("reference.source=vae", "reference.source must be .* but is 'vae'"),
        ("reference.source=taehv:/nowhere/w.pth", "/nowhere/w.pth"),
    ],
)
def test_what_cannot_be_a_bank_is_refused(recipe: Callable[..., Recipe], banks: str, change: str, rule: str) -> None:
    settings = recipe(banks, change)
    with pytest.raises(ValueError, match=rule):
        build_bank(settings, CPU, silent)
    assert not (Path(settings.data.cache_dir) / "banks").exists()
