import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.bank import TENSORS, Bank, bank_key, build_bank
from model.data.pixels import to_unit
from model.network.reference import build_reference
from model.network.reference.base import Reference
from model.network.taehv import TAEHV
from model.network.weights import save_weights
from model.recipe import Recipe
from model.settings import build, read_tables
from tests.commands import ROOT

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
