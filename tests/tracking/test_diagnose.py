"""`python -m tracking.diagnose` as a person runs it."""

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from model.cli import run
from search.train import main as train_main
from tests.commands import settings_options
from tests.tracking.foreign.failed_run import FailedRun
from tracking.diagnose import main
from tracking.query import find_runs, read_json
from tracking.store import Store

Diagnose = Callable[..., int]


@pytest.fixture
def diagnose(monkeypatch: pytest.MonkeyPatch, store: Store) -> Diagnose:
    """Give the command in this process, on the record of the test; returns its exit code."""

    def give(*options: str) -> int:
        record = ("--profile", "cpu", "--set", f"tracking.root={store.root}")
        monkeypatch.setattr(sys, "argv", ["diagnose", *options, *record])
        with pytest.raises(SystemExit) as left:
            run(main)
        return int(left.value.code or 0)

    return give


def codes(path: Path) -> list[tuple[str, str]]:
    findings = json.loads(path.read_text(encoding="utf-8"))["findings"]
    return [(finding["code"], finding["subject"]) for finding in findings]


def test_the_failed_run_is_diagnosed_from_its_files(failed_files: FailedRun, call, tmp_path: Path) -> None:
    done = call("tracking.diagnose", *failed_files.options(), "--out", str(tmp_path / "out"))
    assert (done.code, done.err) == (0, "")
    found = codes(tmp_path / "out" / "diagnosis.json")
    assert found[0] == ("data.double_normalised", "")
    inert = [subject for code, subject in found if code == "loss.inert"]
    assert inert == ["decoder", "perceptual", "seraena"]
    # The report blamed the schedule, but at step 82000 the rate stood at 58 % of its peak.
    assert "schedule.decayed_early" not in dict(found)
    assert "48.8 dB" in done.out
    assert "not known here: system/gpu_memory_gb" in done.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "diagnosis.md",
        "diagnosis.zh.md",
        "diagnosis.json",
    }


def test_nothing_is_written_unless_asked(
    diagnose: Diagnose, failed_files: FailedRun, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(failed_files.root.rglob("*"))
    assert diagnose(*failed_files.options("evaluation", "events")) == 0
    assert "nothing was written; --out FOLDER writes the diagnosis" in capsys.readouterr().out
    assert sorted(failed_files.root.rglob("*")) == before
    assert find_runs(store) == []


def test_a_tag_can_be_given_its_meaning(diagnose: Diagnose, failed_files: FailedRun, tmp_path: Path) -> None:
    def inert(*options: str) -> list[str]:
        files = failed_files.options("config", "events")
        assert diagnose(*files, "--out", str(tmp_path / "out"), *options) == 0
        return [subject for code, subject in codes(tmp_path / "out" / "diagnosis.json") if code == "loss.inert"]

    assert inert() == ["decoder", "perceptual", "seraena"]
    assert inert("--set", "diagnosis.tags.loss/decoder=system/gpu_memory_gb") == ["perceptual", "seraena"]


def test_a_foreign_run_is_imported_and_diagnosed_again_from_the_record(
    diagnose: Diagnose, failed_files: FailedRun, store: Store, tmp_path: Path
) -> None:
    assert diagnose(*failed_files.options(), "--import-as", "theirs", "--out", str(tmp_path / "files")) == 0
    (row,) = find_runs(store, foreign="true")
    assert (row.name, row.role, row.tags["diagnosis"]) == ("theirs", "train", "error")
    assert row.parameters["losses.reconstruction"] == "0.1"
    assert row.metrics["loss/total"] == pytest.approx(0.038086)
    assert row.metrics["foreign/system/gpu_memory_gb"] == 61.5
    assert diagnose(row.id[:8], "--out", str(tmp_path / "record")) == 0
    texts = [(tmp_path / name / "diagnosis.json").read_text() for name in ("files", "record")]
    assert texts[0] == texts[1]


def test_a_run_of_ours_is_diagnosed_from_the_record_and_gets_the_result(
    diagnose: Diagnose, store: Store, tiny_changes: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys
) -> None:
    monkeypatch.setattr(sys, "argv", ["train", *settings_options(*tiny_changes, "losses.perceptual=0")])
    with pytest.raises(SystemExit) as left:
        run(train_main)
    assert left.value.code == 0, capsys.readouterr().err
    (row,) = find_runs(store)
    at_the_end = read_json(store, row.id, "diagnosis.json")
    folder = store.root / "artifacts" / row.id / "artifacts"
    (folder / "diagnosis.json").unlink()
    assert diagnose(row.id, "--config", "conf.toml") == 0
    assert not (folder / "diagnosis.json").exists()
    assert diagnose(row.id[:10], "--log") == 0
    again = read_json(store, row.id, "diagnosis.json")
    assert again["findings"] == at_the_end["findings"]
    assert set(again["not_measured"]) <= set(at_the_end["not_measured"])
    (after,) = find_runs(store)
    assert (after.status, after.end_ms) == ("FINISHED", row.end_ms)


def another_architecture(run: FailedRun) -> list[str]:
    path = run.checkpoints / "checkpoint-95000" / "model.pth"
    path.parent.mkdir()
    torch.save(nn.Linear(2, 2).state_dict(), path)
    return run.options("checkpoints")


def another_start(run: FailedRun) -> list[str]:
    torch.save(nn.Linear(2, 2).state_dict(), run.pretrained)
    return run.options("checkpoints", "pretrained")


class Command:
    """Runs a command when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


def code_in_a_pickle(run: FailedRun) -> list[str]:
    torch.save({"model": Command(run.root / "it ran")}, run.checkpoints / "checkpoint-82000" / "model.pth")
    return run.options("checkpoints")


def empty_folder(option: str) -> Callable[[FailedRun], list[str]]:
    def make(run: FailedRun) -> list[str]:
        (run.root / "empty").mkdir()
        return [option, str(run.root / "empty")]

    return make


def torn_events(run: FailedRun) -> list[str]:
    (file,) = run.events.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    return run.options("events")


def config_with(line: str) -> Callable[[FailedRun], list[str]]:
    def make(run: FailedRun) -> list[str]:
        run.config.write_text(f"args.seed = 1\n{line}\n")
        return run.options("config")

    return make


def evaluation_with(text: str) -> Callable[[FailedRun], list[str]]:
    def make(run: FailedRun) -> list[str]:
        run.evaluation.write_text(text)
        return run.options("evaluation")

    return make


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda run: [], ["there must be something to diagnose, but nothing is given"]),
        (empty_folder("--checkpoints"), ["--checkpoints must hold .pth, .pt, .safetensors files", "empty has none"]),
        (empty_folder("--events"), ["--events must hold event files", "empty has none"]),
        (another_architecture, ["of one architecture", "checkpoint-95000/model.pth", "checkpoint-90000/model.pth"]),
        (another_start, ["of one architecture", "taecvx.pth"]),
        (code_in_a_pickle, ["checkpoint-82000/model.pth", "asks for posix.system, which is never run"]),
        (torn_events, ["an event file must be whole", "is damaged after 1"]),
        (config_with("args.lr = float('1e-4')"), ["config.py line 2 is: args.lr = float('1e-4')", "literal"]),
        (config_with("print('x')"), ["must only assign values", "line 2 is: print('x')"]),
        (evaluation_with('{"ssim": 0.5}'), ["must have psnr", "scores.json"]),
        (evaluation_with("psnr 4.24"), ["--evaluation must be JSON", "scores.json"]),
        (lambda run: ["--evaluation", str(run.root)], ["--evaluation must be a file"]),
        (lambda run: ["0123456789abcdef"], ["RUN_ID must name a run", "none is called '0123456789abcdef'"]),
        (lambda run: ["0123", *run.options("events")], ["either a RUN_ID or files", "both are given"]),
        (lambda run: ["0123", "--import-as", "x"], ["--import-as makes files a run", "--log"]),
        (lambda run: [*run.options("events"), "--log"], ["--log adds to a run", "--import-as NAME"]),
        (lambda run: [*run.options("events"), "--import-as", " "], ["must be the name of a run, but is empty"]),
        (lambda run: run.options("pretrained", "events"), ["--pretrained is compared with checkpoints"]),
        (
            lambda run: [*run.options("events"), "--set", "diagnosis.tags.loss/encodr=x"],
            ["[diagnosis.tags]", "'loss/encodr'", "did you mean 'loss/encoder'?"],
        ),
    ],
)
def test_bad_input_is_one_line_and_wrong_use(
    diagnose: Diagnose,
    failed_files: FailedRun,
    store: Store,
    capsys: pytest.CaptureFixture[str],
    make,
    words: list[str],
) -> None:
    assert diagnose(*make(failed_files)) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert line.count("\n") == 1
    assert all(word in line for word in words), line
    assert not (failed_files.root / "it ran").exists()
    assert find_runs(store) == []


def test_a_run_id_without_a_record_or_settings(
    diagnose: Diagnose, store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (store.root / "mlflow.db").unlink()
    assert diagnose("0123") == 2
    assert "a RUN_ID needs a record, but there is no" in capsys.readouterr().err
    assert not (store.root / "mlflow.db").exists()
    assert diagnose("0123", "--config", str(tmp_path / "none.toml")) == 2
    assert "none.toml" in capsys.readouterr().err


def test_code_in_a_pickle_through_the_real_command(failed_files: FailedRun, call) -> None:
    done = call("tracking.diagnose", *code_in_a_pickle(failed_files))
    assert (done.code, done.err.count("\n")) == (2, 1)
    assert "asks for posix.system" in done.err
    assert not (failed_files.root / "it ran").exists()


def test_outside_the_project_the_line_says_where_to_go(failed_files: FailedRun, call) -> None:
    done = call("tracking.diagnose", *failed_files.options("evaluation"), cwd=failed_files.root)
    assert done.code == 2
    assert "the working folder must be the project's" in done.err
