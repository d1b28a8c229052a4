"""`torchrun -m search.train` with two processes on the CPU."""

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from model.ranks import Ranks
from model.training.checkpoint import TRAINING, WEIGHTS
from search.follow import describe_division
from search.settings import recipe_of
from tests.commands import ROOT, Command, environment, settings_options

RECORDED = ("FINISHED", "train", "complete")


def start(changes: list[str]) -> subprocess.Popen[str]:
    launcher = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "search.train"]
    return subprocess.Popen(
        [sys.executable, "-m", *launcher, *settings_options(*changes)],
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def launch(tiny_changes: list[str], record: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start two processes; takes changes."""
    started: list[subprocess.Popen[str]] = []

    def begin(*changes: str) -> subprocess.Popen[str]:
        started.append(start([*tiny_changes, "losses.perceptual=0", *changes]))
        return started[-1]

    yield begin
    for process in started:
        if process.poll() is None:
            process.terminate()
            process.communicate()


def recorded(root: Path) -> list[MlflowRun]:
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("taehv")
    runs = list(client.search_runs([experiment.experiment_id])) if experiment else []
    return sorted(runs, key=lambda run: run.info.start_time)


def curves(root: Path, run: MlflowRun, name: str) -> list[tuple[int, float]]:
    history = MlflowClient(f"sqlite:///{root / 'mlflow.db'}").get_metric_history(run.info.run_id, name)
    return sorted((point.step, point.value) for point in history)


def errors(text: str) -> list[str]:
    """What the project's own processes said; torchrun adds a report."""
    return [line for line in text.splitlines() if line.startswith("error: ")]


def follower(process: subprocess.Popen[str]) -> psutil.Process:
    (second,) = [
        child for child in psutil.Process(process.pid).children(recursive=True) if child.environ().get("RANK") == "1"
    ]
    return second


def reach(process: subprocess.Popen[str], beginning: str) -> None:
    """Read what the first rank prints up to a line."""
    assert process.stdout is not None
    seen = []
    for line in process.stdout:
        seen.append(line)
        if line.startswith(beginning):
            return
    raise AssertionError("".join(seen) + process.communicate()[1])


@pytest.mark.long
def test_two_processes_leave_one_record_that_is_that_of_one(
    launch: Callable[..., subprocess.Popen[str]], call: Callable[..., Command], tiny_changes: list[str], record: Path
) -> None:
    process = launch()
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert errors(err) == []
    assert [line[:5] for line in out.splitlines() if line.startswith("[")] == ["[2/4]", "[4/4]"]
    assert "2 processes: each takes 1 of the 2 clips of a batch\n" in out
    one = call("search.train", *settings_options(*tiny_changes, "losses.perceptual=0"))
    assert one.code == 0, one.err

    ours, theirs = recorded(record)
    for run in (ours, theirs):
        assert (run.info.status, run.data.tags["role"], run.data.tags["state"]) == RECORDED
    assert ours.data.tags["identity"] == theirs.data.tags["identity"]
    assert set(ours.data.metrics) == set(theirs.data.metrics)
    for name in ("loss/total", "gradient/norm", "critic/loss", "input/std", "score", "val/psnr"):
        ours_curve, theirs_curve = curves(record, ours, name), curves(record, theirs, name)
        assert [step for step, _ in ours_curve] == [step for step, _ in theirs_curve]
        # float32 summed in another order; tests/model/training/test_several_ranks.py says how far that leads
        assert [value for _, value in ours_curve] == pytest.approx([value for _, value in theirs_curve], rel=2e-5)
    folder = Path(ours.info.artifact_uri.removeprefix("file://"))
    assert (folder / WEIGHTS).exists()
    assert (folder / TRAINING).exists()
    assert list((record / "running").iterdir()) == []


def test_a_batch_that_cannot_be_divided_is_refused_before_anything_is_spent(
    launch: Callable[..., subprocess.Popen[str]], record: Path
) -> None:
    process = launch("training.batch_size=3")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, out + err
    assert any("multiple of the 2 processes that share each batch, but is 3; set" in line for line in errors(err))
    assert "bank:" not in out
    assert recorded(record) == []


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_at_one_step_and_closes_the_record(
    launch: Callable[..., subprocess.Popen[str]], record: Path, number: signal.Signals
) -> None:
    process = launch("training.steps=1000000")
    reach(process, "[4/1000000]")
    process.send_signal(number)
    out, err = process.communicate(timeout=120)
    assert process.returncode not in (0, -signal.SIGKILL), out + err
    (said,) = errors(err)
    assert said.startswith(f"error: stopped by {number.name} at step "), err
    (found,) = recorded(record)
    assert (found.info.status, found.data.tags["state"]) == ("KILLED", "interrupted")
    assert found.data.tags["reason"] in said
    assert (Path(found.info.artifact_uri.removeprefix("file://")) / TRAINING).exists()
    assert list((record / "running").iterdir()) == []


@pytest.mark.long
def test_a_rank_that_is_killed_ends_the_other_with_its_record_closed(
    launch: Callable[..., subprocess.Popen[str]], record: Path
) -> None:
    process = launch("training.steps=1000000")
    reach(process, "[4/1000000]")
    follower(process).kill()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 1, out + err
    (said,) = errors(err)
    assert said.startswith("error: all 2 processes of a training must live, but rank 0 has lost another one (")
    (found,) = recorded(record)
    assert (found.info.status, found.data.tags["state"]) == ("FAILED", "failed")
    assert found.data.tags["reason"].startswith("all 2 processes of a training must live")
    assert list((record / "running").iterdir()) == []


@pytest.mark.long
def test_a_training_that_diverges_is_said_by_the_first_rank_alone(
    launch: Callable[..., subprocess.Popen[str]], record: Path
) -> None:
    process = launch("optimizer.learning_rate=1e30")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, out + err
    (said,) = errors(err)
    assert said.startswith("error: losses and gradient must be finite, but at step 2 ")
    (found,) = recorded(record)
    assert (found.info.status, found.data.tags["state"]) == ("FAILED", "failed")
    assert found.data.tags["reason"] in said


def test_what_is_other_than_with_one_process_is_said(tiny: Callable) -> None:
    two, recipe = Ranks(0, 2, 2), recipe_of(tiny())
    plain = "2 processes: each takes 1 of the 2 clips of a batch"
    assert describe_division(recipe, torch.device("cpu"), two) == plain
    on_cuda = describe_division(recipe, torch.device("cuda"), two)
    assert on_cuda == f'{plain}; steps are eager (training.execution = "auto"): a captured step is of one process'
    asked = recipe_of(tiny('training.execution="eager"'))
    assert describe_division(asked, torch.device("cuda"), two) == plain
