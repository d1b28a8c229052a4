import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from model.cli import run
from model.training.checkpoint import TRAINING, WEIGHTS
from search.train import main
from tests.commands import ROOT, arguments, environment, settings_options

Command = Callable[..., int]


@pytest.fixture
def command(tiny_changes: list[str], record: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Give `python -m search.train` in this process; returns its exit code."""

    def give(*changes: str) -> int:
        monkeypatch.setattr(sys, "argv", ["search.train", *settings_options(*tiny_changes, *changes)])
        with pytest.raises(SystemExit) as left:
            run(main)
        return int(left.value.code or 0)

    return give


def runs(root: Path) -> list[MlflowRun]:
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("taehv")
    return list(client.search_runs([experiment.experiment_id])) if experiment else []


def folder_of(found: MlflowRun) -> Path:
    return Path(found.info.artifact_uri.removeprefix("file://"))


def test_one_run_is_recorded_with_all_that_it_left(
    command: Command, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("losses.perceptual=0", "losses.decoder=0.25") == 0
    (found,) = runs(record)
    assert (found.info.status, found.data.tags["role"], found.data.tags["state"]) == ("FINISHED", "train", "complete")
    assert "mlflow.parentRunId" not in found.data.tags
    assert found.data.params["losses.decoder"] == "0.25"
    assert {"score", "val/psnr", "loss/total", "share/decoder", "gradient/norm"} <= set(found.data.metrics)
    folder = folder_of(found)
    assert (folder / WEIGHTS).exists()
    assert (folder / TRAINING).exists()
    assert json.loads((folder / "evaluation.json").read_text())["step"] == 4
    assert list((record / "running").iterdir()) == []

    out = capsys.readouterr().out
    assert [line[:5] for line in out.splitlines() if line.startswith("[")] == ["[2/4]", "[4/4]"]
    assert f"score {found.data.metrics['score']:.4g}, psnr {found.data.metrics['val/psnr']:.4g}" in out
    assert f"verdict {found.data.tags['diagnosis']}; not measured: " in out
    assert f"diagnosis {found.data.tags['diagnosis']}: {folder / 'diagnosis.md'}" in out
    assert f"python -m model.evaluate {folder / WEIGHTS}" in out


def test_a_perceptual_weight_without_lpips_is_refused_before_a_run_is_opened(
    command: Command, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("losses.perceptual=0.1") == 2
    shown = capsys.readouterr()
    assert shown.err.startswith(
        "error: losses.perceptual above 0 needs LPIPS, but it is 0.1 and LPIPS is not available"
    )
    assert shown.err.count("\n") == 1
    assert "no LPIPS" in shown.out
    assert runs(record) == []
    assert not (record / "running").exists()


def test_a_run_that_diverges_has_failed_and_says_where(
    command: Command, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command("losses.perceptual=0", "optimizer.learning_rate=1e30") == 1
    err = capsys.readouterr().err
    assert err.startswith("error: losses and gradient must be finite, but at step 2 ")
    assert err.count("\n") == 1
    (found,) = runs(record)
    assert (found.info.status, found.data.tags["state"]) == ("FAILED", "failed")
    assert found.data.tags["reason"] in err
    assert found.data.tags["diagnosis"] == "error"
    assert (folder_of(found) / "diagnosis.md").exists()
    assert list((record / "running").iterdir()) == []


def test_ctrl_c_keeps_the_checkpoint_and_closes_the_run(tiny_changes: list[str], record: Path) -> None:
    endless = ["losses.perceptual=0", "training.steps=1000000"]
    process = subprocess.Popen(
        arguments("search.train", *settings_options(*tiny_changes, *endless)),
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    # By the line of step 4 the checkpoint of step 2 is there.
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("[4/1000000]"):
            process.send_signal(signal.SIGINT)
            break
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, "".join(lines) + out + err
    assert err.startswith("error: stopped by SIGINT at step ")
    assert err.count("\n") == 1
    (found,) = runs(record)
    assert (found.info.status, found.data.tags["reason"][:17]) == ("KILLED", "stopped by SIGINT")
    assert (folder_of(found) / WEIGHTS).exists()
    assert (folder_of(found) / TRAINING).exists()
    assert "score" in found.data.metrics
    assert list((record / "running").iterdir()) == []
