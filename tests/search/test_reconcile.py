"""What a kill leaves behind is made by hand here: a kill hits any line, and each must come to the same end."""

from collections.abc import Callable
from pathlib import Path

from mlflow import MlflowClient
from optuna import Trial
from optuna.trial import TrialState

from search.opening import OpenStudy
from search.preparation import running_folder
from search.reconcile import reconcile
from search.space import sample
from search.study import BASELINE, LEFT_OUT, MAX_RETRIES, METRICS, REASON, RETRIES, RUN_ID
from tracking.run import start_run
from tracking.store import artifact_folder


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


def test_a_trial_without_a_run_yet_is_queued_again(opened: OpenStudy) -> None:
    trial = opened.study.ask()
    assert mend(opened) == [f"trial {trial.number} was left running: queued again"]
    again = opened.study.get_trials(states=(TrialState.WAITING,))[-1]
    assert again.user_attrs["retry_of"] == trial.number
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
