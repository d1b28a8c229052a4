"""What a kill leaves behind is made by hand here: a kill hits any line, and each must come to the same end."""

import io
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from optuna import Trial
from optuna.trial import TrialState
from rich.console import Console

import search.progress
from model.training.measurement import Measurement
from search.opening import OpenStudy, open_everything
from search.preparation import running_folder
from search.reconcile import reconcile
from search.record import start_training_record
from search.run import search as run_study
from search.settings import Settings, load_settings
from search.space import sample
from search.study import BASELINE, LEFT_OUT, MAX_RETRIES, METRICS, REASON, RETRIES, RETRY_OF, RUN_ID, fail
from tests.commands import ROOT
from tests.places import DATABASES, Place, at
from tests.results import result_of
from tracking.query import read_json
from tracking.run import Run, start_run
from tracking.store import Store, artifact_folder, open_store

pytestmark = at(*DATABASES)


def begin(opened: OpenStudy) -> tuple[Trial, str]:
    """Ask for a trial and open its run, as the coordinator does; returns the trial and the run's id."""
    trial = opened.study.ask()
    sample(trial, opened.space, trial.user_attrs.get(LEFT_OUT, []))
    run = start_run(opened.prepared.store, f"trial {trial.number:03d}", "trial", opened.parent, {"state": "running"})
    files = running_folder(opened.prepared.store) / run.id / "checkpoint"
    files.mkdir(parents=True)
    (files / "training.pt").write_bytes(b"half")
    trial.set_user_attr(RUN_ID, run.id)
    return trial, run.id


def mend(opened: OpenStudy, keep: int = 5) -> list[str]:
    """Reconcile as the next command would; returns what it said."""
    lines: list[str] = []
    reconcile(opened.study, opened.prepared.store, opened.parent, keep, lines.append)
    return lines


def state_of(opened: OpenStudy, run_id: str) -> tuple[str, str]:
    run = MlflowClient(tracking_uri=opened.prepared.store.uri).get_run(run_id)
    return run.info.status, run.data.tags["state"]


def folders(opened: OpenStudy) -> list[Path]:
    return list(running_folder(opened.prepared.store).iterdir())


def test_a_trial_killed_on_its_way_fails_in_both_records_and_is_queued_again(opened: OpenStudy) -> None:
    trial, run_id = begin(opened)
    queued = len(opened.study.get_trials(states=(TrialState.WAITING,)))
    lines = mend(opened)
    closed = opened.study.trials[trial.number]
    assert (closed.state, closed.user_attrs[REASON]) == (
        TrialState.FAIL,
        "left running by a command that was killed",
    )
    assert state_of(opened, run_id) == ("FAILED", "failed")
    assert folders(opened) == []
    waiting = opened.study.get_trials(states=(TrialState.WAITING,))
    assert len(waiting) == queued + 1
    assert (waiting[-1].user_attrs[BASELINE], waiting[-1].user_attrs[RETRIES]) == ("seed_old", 0)
    assert lines == [
        f"trial {trial.number} was left running: queued again",
        f"run 'trial {trial.number:03d}' was left open: closed as FAILED",
    ]


def test_a_kill_between_the_two_words_of_a_failure_loses_no_retry_and_makes_none_twice(
    opened: OpenStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial, _ = begin(opened)
    queued = len(opened.study.get_trials(states=(TrialState.WAITING,)))
    with monkeypatch.context() as patch:
        patch.setattr(type(opened.study), "tell", killed)
        with pytest.raises(KeyboardInterrupt):
            fail(opened.study, trial.number, "its worker ended", own_fault=True)
    assert mend(opened)[0] == f"trial {trial.number} was left running: queued again"
    assert opened.study.trials[trial.number].state == TrialState.FAIL
    waiting = opened.study.get_trials(states=(TrialState.WAITING,))
    assert len(waiting) == queued + 1
    assert (waiting[-1].user_attrs[BASELINE], waiting[-1].user_attrs[RETRY_OF]) == ("seed_old", trial.number)


def killed(*_arguments: object, **_named: object) -> None:
    """Stands for a call that the process did not live to make."""
    raise KeyboardInterrupt


def test_files_go_before_the_run_ends_because_nobody_looks_for_them_afterwards(
    opened: OpenStudy, told: tuple[Trial, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Run, "finish", killed)
        with pytest.raises(KeyboardInterrupt):
            mend(opened)
    assert folders(opened) == []
    assert state_of(opened, told[1])[0] == "RUNNING"
    assert mend(opened) == ["run 'trial 000' was left open: closed as FINISHED"]


def test_a_trial_that_was_killed_before_it_had_settings_is_given_up(opened: OpenStudy) -> None:
    for _ in range(3):  # the queued baselines leave the queue
        opened.study.tell(opened.study.ask(), state=TrialState.FAIL)
    trial = opened.study.ask()
    assert mend(opened) == [
        f"trial {trial.number} was left running: given up: it had its last retry, or no settings yet"
    ]


def test_a_trial_without_a_run_yet_is_queued_again(opened: OpenStudy) -> None:
    trial = opened.study.ask()
    assert mend(opened) == [f"trial {trial.number} was left running: queued again"]
    again = opened.study.get_trials(states=(TrialState.WAITING,))[-1]
    assert again.user_attrs[RETRY_OF] == trial.number
    assert again.system_attrs["fixed_params"]["reconstruction"] == 0.1


def test_a_run_is_closed_as_what_its_trial_became(opened: OpenStudy) -> None:
    complete, pruned = begin(opened), begin(opened)
    for trial, _ in (complete, pruned):
        trial.set_user_attr(METRICS, {"score": 20.0})
    opened.study.tell(complete[0], 20.0)
    opened.study.tell(pruned[0], state=TrialState.PRUNED)
    lines = mend(opened)
    assert state_of(opened, complete[1]) == ("FINISHED", "complete")
    assert state_of(opened, pruned[1]) == ("KILLED", "pruned")
    assert opened.study.trials[complete[0].number].value == 20.0
    assert len(lines) == 2
    assert folders(opened) == []


@pytest.fixture
def told(opened: OpenStudy, tiny: Callable[..., Settings]) -> tuple[Trial, str]:
    """A trial of mean colours that Optuna calls complete, and its run, as a kill leaves them before the run is concluded."""
    trial = opened.study.ask()
    sample(trial, opened.space, trial.user_attrs[LEFT_OUT])
    record = start_training_record(
        opened.prepared, tiny(), name="trial 000", role="trial", parent=opened.parent, tags={"trial_number": "0"}
    )
    trial.set_user_attr(RUN_ID, record.run.id)
    scores = opened.prepared.yardsticks["mean_colour"]
    record.measure(Measurement(4, {"loss/total": 0.5, **scores.metrics()}, scores))
    (record.folder / "checkpoint").mkdir()
    (record.folder / "checkpoint" / "model.safetensors").write_bytes(b"weights")
    record.write_measured()
    trial.set_user_attr(METRICS, scores.metrics())
    opened.study.tell(trial, scores.score)
    return trial, record.run.id


def test_a_run_that_was_not_concluded_gets_its_diagnosis_and_its_checkpoint(
    opened: OpenStudy, told: tuple[Trial, str]
) -> None:
    _, run_id = told
    store = opened.prepared.store
    assert mend(opened) == ["run 'trial 000' was left open: closed as FINISHED"]
    codes = [finding["code"] for finding in read_json(store, run_id, "diagnosis.json")["findings"]]
    assert "score.below_trivial" in codes  # so it saw the evaluation and the yardsticks
    run = MlflowClient(tracking_uri=store.uri).get_run(run_id)
    assert (run.info.status, run.data.tags["state"]) == ("FINISHED", "complete")
    assert run.data.tags["diagnosis"] == read_json(store, run_id, "diagnosis.json")["verdict"]
    assert {"diagnosis.md", "diagnosis.zh.md"} <= {path.name for path in artifact_folder(store, run_id).iterdir()}
    assert (artifact_folder(store, run_id) / "checkpoint" / "model.safetensors").read_bytes() == b"weights"
    assert folders(opened) == []


def test_a_checkpoint_that_is_not_among_the_best_goes_all_the_same(opened: OpenStudy, told: tuple[Trial, str]) -> None:
    mend(opened, keep=0)
    assert not (artifact_folder(opened.prepared.store, told[1]) / "checkpoint").exists()


def test_a_diagnosis_that_was_written_before_the_kill_stays(opened: OpenStudy, told: tuple[Trial, str]) -> None:
    run = MlflowClient(tracking_uri=opened.prepared.store.uri)
    run.set_tag(told[1], "diagnosis", "error")
    mend(opened)
    assert not (artifact_folder(opened.prepared.store, told[1]) / "diagnosis.json").exists()


def test_why_a_trial_diverged_is_in_its_run_too(opened: OpenStudy) -> None:
    trial, run_id = begin(opened)
    reason = "NonFiniteError: losses and gradient must be finite, but at step 2 decoder = nan"
    trial.set_user_attr(REASON, reason)
    trial.set_user_attr(METRICS, {})
    opened.study.tell(trial, state=TrialState.PRUNED)
    mend(opened)
    run = MlflowClient(tracking_uri=opened.prepared.store.uri).get_run(run_id)
    assert (run.info.status, run.data.tags["state"], run.data.tags["reason"]) == ("KILLED", "pruned", reason)
    assert reason in (artifact_folder(opened.prepared.store, run_id) / "diagnosis.md").read_text()


class Dying(search.progress.TrialProgress):
    """Kills its process when the second trial begins: Optuna knows the first one's score and its run is not concluded."""

    def begin(self, number: int, slot: int) -> None:
        super().begin(number, slot)
        if number == 1:
            os.kill(os.getpid(), signal.SIGKILL)


def be_killed(changes: list[str]) -> None:
    search.progress.TrialProgress = Dying  # in a process of its own, which it kills
    run_study(load_settings(ROOT / "conf.toml", "cpu", changes), 3, Console(file=io.StringIO()))


def test_a_trial_whose_command_was_killed_once_optuna_knew_it_ends_as_any_other(
    finished_study, blank_record: Path, tmp_path: Path, place: Place
) -> None:
    root = tmp_path / "mlruns"
    shutil.copytree(blank_record, root)
    changes = [*finished_study.changes, f"tracking.root={root}", *place.changes]
    process = multiprocessing.get_context("spawn").Process(target=be_killed, args=(changes,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL

    settings, lines = load_settings(ROOT / "conf.toml", "cpu", changes), list[str]()
    opened = open_everything(settings, lines.append, 3)
    first, second = opened.study.trials[:2]
    assert (first.state, second.state) == (TrialState.COMPLETE, TrialState.FAIL)
    assert "run 'trial 000 seed_old' was left open: closed as FINISHED" in lines

    whole = open_store(finished_study.settings.tracking)
    assert result_of(opened.prepared.store, first.user_attrs[RUN_ID]) == result_of(whole, first_run(whole))


def first_run(store: Store) -> str:
    experiment = store.client.get_experiment_by_name("taehv")
    (run,) = store.client.search_runs([experiment.experiment_id], "tags.trial_number = '0'")
    return run.info.run_id


def test_a_run_that_no_trial_knows_has_failed(opened: OpenStudy) -> None:
    run = start_run(opened.prepared.store, "trial 009", "trial", opened.parent, {"state": "running"})
    assert mend(opened) == ["run 'trial 009' was left open: closed as FAILED"]
    assert state_of(opened, run.id) == ("FAILED", "failed")


def test_a_run_of_another_study_is_left_alone(opened: OpenStudy) -> None:
    other = start_run(opened.prepared.store, "train", "train", None, {"state": "running"})
    assert mend(opened) == []
    assert state_of(opened, other.id) == ("RUNNING", "running")


def test_a_second_time_there_is_nothing_to_do(opened: OpenStudy) -> None:
    begin(opened)
    mend(opened)
    trials = opened.study.get_trials()
    assert mend(opened) == []
    assert opened.study.get_trials() == trials


def test_a_kill_is_no_fault_of_the_trial_however_often_it_comes(opened: OpenStudy) -> None:
    begin(opened)
    for _ in range(2):  # the other baselines leave the queue
        opened.study.tell(opened.study.ask(), state=TrialState.FAIL)
    for _ in range(MAX_RETRIES + 2):
        assert mend(opened)[0].partition(": ")[2] == "queued again"
        trial, _ = begin(opened)
        assert trial.user_attrs[BASELINE] == "seed_old"


def test_checkpoints_beyond_the_best_are_removed(
    opened: OpenStudy, add_trial: Callable[..., int], run_with_checkpoint: Callable[..., str]
) -> None:
    runs = [run_with_checkpoint(opened) for _ in range(3)]
    for score, run_id in zip((10.0, 30.0, 20.0), runs, strict=True):
        add_trial(opened.study, score, run_id=run_id)
    mend(opened, keep=2)
    folder = [artifact_folder(opened.prepared.store, run_id) / "checkpoint" for run_id in runs]
    assert [path.exists() for path in folder] == [False, True, True]
