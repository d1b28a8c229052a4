from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.bank import load_bank
from search.preparation import Preparation, find_perceptual, prepare, running_folder
from search.settings import Settings
from tests.commands import SHARED
from tracking.failure import RecordError

CPU = torch.device("cpu")


def test_a_record_that_cannot_be_written_costs_no_decoding(tiny: Callable[..., Settings], tmp_path: Path) -> None:
    lines: list[str] = []
    cache = tmp_path / "untouched"
    with pytest.raises(RecordError, match=r"the record must be .*/proc/record.*tracking\.root"):
        prepare(tiny("tracking.root=/proc/record", f"data.cache_dir={cache}"), lines.append)
    assert lines == []
    assert not cache.exists()


def test_it_is_all_that_trainings_share(tiny: Callable[..., Settings], record: Path) -> None:
    lines: list[str] = []
    prepared = prepare(tiny("training.device=cpu"), lines.append)
    assert prepared.store.root == record
    assert prepared.device == CPU
    bank = load_bank(prepared.bank.path)
    assert (len(bank.training), len(bank.validation), bank.digest) == (8, 4, prepared.bank.digest)
    assert set(prepared.yardsticks) == {"black", "grey", "mean_colour", "average_8x8", "reference"}
    assert {len(scores.clips) for scores in prepared.yardsticks.values()} == {4}
    assert lines[-1].startswith("bank: 8 training and 4 validation clips of 9 frames at 24 px, digest ")
    assert running_folder(prepared.store) == record / "running"


def test_without_a_trunk_the_absence_is_said_once_and_no_other_takes_its_place(
    tiny: Callable[..., Settings], record: Path
) -> None:
    lines: list[str] = []
    prepared = prepare(tiny(), lines.append)
    assert prepared.perceptual is None
    assert {scores.lpips for scores in prepared.yardsticks.values()} == {None}
    (said,) = [line for line in lines if "LPIPS" in line]
    assert said.startswith("no LPIPS: val/lpips and val/overall are absent and the perceptual loss is not searched. ")
    assert "squeezenet1_1-b8a52dc0.pth" in said
    assert "\n" not in said


def test_with_its_trunk_lpips_is_found_and_nothing_said(
    tiny: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (SHARED / "weights").exists():
        pytest.skip("needs SqueezeNet's weights in ../shared/weights")
    monkeypatch.setenv("TORCH_HOME", str(SHARED / "weights"))
    lines: list[str] = []
    perceptual = find_perceptual(tiny(), CPU, lines.append)
    assert perceptual is not None
    assert perceptual.backbone == "squeeze"
    assert lines == []


def test_a_device_that_is_not_there_is_refused(tiny: Callable[..., Settings], record: Path) -> None:
    with pytest.raises(ValueError, match=r"training\.device must be a device of this machine, but 'cuda:99'"):
        prepare(tiny("training.device=cuda:99"), lambda _line: None)


def test_the_yardsticks_are_of_the_bank(prepared: Preparation) -> None:
    names = [clip.name for clip in prepared.yardsticks["grey"].clips]
    assert names == list(prepared.bank.validation_names)
    assert prepared.yardsticks["reference"].psnr > prepared.yardsticks["average_8x8"].psnr


def test_a_record_is_looked_at_where_it_could_not_be_trained(tiny: Callable[..., Settings], record: Path) -> None:
    settings = tiny("training.device=cpu", "training.precision=bfloat16")
    with pytest.raises(ValueError, match="needs CUDA"):
        prepare(settings, print)
    assert prepare(settings, print, to_train=False).store.root == record
