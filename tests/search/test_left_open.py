"""Studies and single trainings that commands with other settings left open: made by hand, and by real kills."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from search.holder import Holder
from search.left_open import HOLDER, close_other_studies, close_trainings
from search.opening import OpenStudy, open_everything
from search.preparation import running_folder
from search.record import start_training_record
from search.settings import Settings
from tests.commands import ROOT, arguments, environment, settings_options
from tracking.run import start_run
from tracking.store import artifact_folder


@pytest.fixture
def ended() -> Holder:
    """A process that has ended."""
    program = "from search.holder import Holder; print(Holder.here().to_text())"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )
    return Holder.from_text(done.stdout)


def train_run(opened: OpenStudy, settings: Settings, holder: Holder) -> str:
    """A single training on its way, with a checkpoint; returns its run's id."""
    tags = {HOLDER: holder.to_text()}
    record = start_training_record(
        opened.prepared, settings, name="train 4 steps", role="train", parent=None, tags=tags
    )
    (record.folder / "checkpoint").mkdir()
    (record.folder / "checkpoint" / "model.safetensors").write_bytes(b"weights")
    return record.run.id


def run_of(opened: OpenStudy, run_id: str):
    return MlflowClient(tracking_uri=opened.prepared.store.uri).get_run(run_id)


def test_a_training_whose_process_has_ended_is_closed_and_keeps_what_it_saved(
    opened: OpenStudy, tiny: Callable[..., Settings], ended: Holder
) -> None:
    run_id, lines = train_run(opened, tiny(), ended), list[str]()
    close_trainings(opened.prepared.store, lines.append)
    assert lines == ["run 'train 4 steps' was left open: closed as FAILED"]
    found = run_of(opened, run_id)
    assert (found.info.status, found.data.tags["state"]) == ("FAILED", "failed")
    assert found.data.tags["reason"] == "left running by a command that was killed"
    assert found.data.tags["diagnosis"] == "error"
    folder = artifact_folder(opened.prepared.store, run_id)
    assert (folder / "checkpoint" / "model.safetensors").read_bytes() == b"weights"
    assert {"diagnosis.md", "summary.html"} <= {path.name for path in folder.iterdir()}
    assert list(running_folder(opened.prepared.store).iterdir()) == []
    close_trainings(opened.prepared.store, lines.append)
    assert len(lines) == 1


def test_a_training_that_was_killed_as_soon_as_it_had_a_run_is_closed_too(opened: OpenStudy, ended: Holder) -> None:
    run = start_run(opened.prepared.store, "train", "train", None, {HOLDER: ended.to_text()})
    close_trainings(opened.prepared.store, print)
    assert run_of(opened, run.id).info.status == "FAILED"


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_training_that_lives_or_may_live_is_left_alone(
    opened: OpenStudy, tiny: Callable[..., Settings], ended: Holder, where: str
) -> None:
    holder = Holder.here() if where == "here" else replace(ended, place="another boot")
    run_id = train_run(opened, tiny(), holder)
    close_trainings(opened.prepared.store, print)
    assert run_of(opened, run_id).info.status == "RUNNING"
    assert list(running_folder(opened.prepared.store).iterdir()) != []


def test_another_study_that_nobody_holds_is_closed_and_goes_on_later(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    trial = opened.study.ask()
    opened.lease.close()  # as one whose process has ended
    lines: list[str] = []
    other = open_everything(tiny("search.study=other"), lines.append, 1)
    name = opened.study.study_name
    assert f"trial {trial.number} was left running: queued again" in lines
    assert f"study {name} was left open: closed as interrupted, its own command goes on with it" in lines
    assert opened.study.trials[trial.number].state == TrialState.FAIL
    parent = run_of(opened, opened.parent.id)
    assert (parent.info.status, parent.data.tags["state"]) == ("KILLED", "interrupted")
    other.lease.close()

    again = open_everything(tiny(), lines.append, 1)
    assert again.parent.id == opened.parent.id
    assert run_of(again, again.parent.id).info.status == "RUNNING"
    again.lease.close()


def test_another_study_that_somebody_holds_is_left_alone(opened: OpenStudy) -> None:
    opened.study.ask()
    hold = """
import sys
from pathlib import Path
from search.lease import take_lease
from search.storage import open_storage
held = take_lease(open_storage(Path(sys.argv[1]), "", print), sys.argv[2], print)
print("held", flush=True)
sys.stdin.read()
"""
    opened.lease.close()
    root, name = opened.prepared.store.root, opened.study.study_name
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(root), name],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        close_other_studies(opened.storage, opened.prepared.store, "mine", print)
        assert run_of(opened, opened.parent.id).info.status == "RUNNING"
        assert TrialState.RUNNING in {trial.state for trial in opened.study.trials}
        holder.kill()


@pytest.mark.long
def test_commands_that_were_killed_leave_nothing_running_once_another_has_begun(
    tiny_changes: list[str], record: Path, call
) -> None:
    endless = ["losses.perceptual=0", "training.steps=1000000"]
    for module, changes, line in (
        ("search.train", endless, "[4/1000000]"),
        ("search.run", [*endless, "training.evaluate_every=1000000"], "preflight: "),
    ):
        with subprocess.Popen(
            arguments(module, *settings_options(*tiny_changes, *changes)),
            cwd=ROOT,
            env=environment(PYTHONUNBUFFERED="1"),
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            assert any(text.startswith(line) for text in process.stdout)
            os.kill(process.pid, signal.SIGKILL)
    done = call("search.run", "--trials", "1", *settings_options(*tiny_changes))
    assert done.code == 0, done.err
    assert "was left open: closed as interrupted, its own command goes on with it" in done.out
    client = MlflowClient(f"sqlite:///{record / 'mlflow.db'}")
    runs = client.search_runs([client.get_experiment_by_name("taehv").experiment_id])
    assert "RUNNING" not in {run.info.status for run in runs}
    storage = f"sqlite:///{record / 'optuna.db'}"
    names = optuna.get_all_study_names(storage)
    assert len(names) == 2
    states = {trial.state for name in names for trial in optuna.load_study(study_name=name, storage=storage).trials}
    assert TrialState.RUNNING not in states
    assert list((record / "running").iterdir()) == []
