"""Studies of real workers, disturbed where a hook in the progress display sees that the moment has come."""

import os
import re
import resource
import signal
import time
from math import isnan

import psutil
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from search.coordinator import Coordinator
from search.study import BASELINE, METRICS, REASON, RUN_ID, failures
from tests.search.disturbed import MakeStudy, Study, undisturbed


@pytest.fixture(scope="module")
def varied(make_study: MakeStudy) -> Study:
    """Three baselines: one diverges, one learns, one stays where it begins."""
    study = make_study(
        "search.baselines.seed_old.learning_rate=1e30",
        "search.baselines.seed_new.learning_rate=3e-3",
        "search.baselines.seraena_author.learning_rate=1e-9",
        "training.steps=20",
        "training.evaluate_every=10",
        "training.log_every=5",
        "search.pruner=median",
        "search.startup_trials=1",
    )
    study.run(3, undisturbed)
    return study


def test_a_learning_rate_that_diverges_is_pruned_with_step_and_term_and_the_study_goes_on(varied: Study) -> None:
    (diverged,) = varied.baseline("seed_old")
    assert diverged.state == TrialState.PRUNED
    assert [(step, isnan(value)) for step, value in diverged.intermediate_values.items()] == [(2, True)]
    reason = diverged.user_attrs[REASON]
    assert "NonFiniteError: losses and gradient must be finite, but at step 2 " in reason
    assert "decoder = " in reason
    run = varied.mlflow_run(diverged)
    assert (run.info.status, run.data.tags["state"], run.data.tags["reason"]) == ("KILLED", "pruned", reason)
    assert "NonFiniteError" in varied.artifact(diverged, "traceback.txt").read_text()
    assert "diverged: NonFiniteError" in varied.out.getvalue()
    assert len([trial for trial in varied.trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]) == 3
    varied.assert_records_agree()


def test_a_trial_whose_evaluation_is_no_picture_has_diverged_and_is_not_tried_again(make_study: MakeStudy) -> None:
    study = make_study("search.baselines.seed_old.learning_rate=1e30", "training.evaluate_every=1")
    study.run(1, undisturbed)
    (diverged,) = study.baseline("seed_old")
    assert diverged.state == TrialState.PRUNED
    assert "evaluating step 1: the output must be finite" in diverged.user_attrs[REASON]
    assert [(step, isnan(value)) for step, value in diverged.intermediate_values.items()] == [(1, True)]
    study.assert_records_agree()


def test_the_median_pruner_stops_a_clearly_bad_trial_at_its_first_evaluation(varied: Study) -> None:
    (good,), (bad,) = varied.baseline("seed_new"), varied.baseline("seraena_author")
    assert (good.state, bad.state) == (TrialState.COMPLETE, TrialState.PRUNED)
    assert (list(good.intermediate_values), list(bad.intermediate_values)) == ([10, 20], [10])
    assert bad.intermediate_values[10] < good.intermediate_values[10]
    assert bad.user_attrs[METRICS]["score"] == bad.intermediate_values[10]
    assert "loss/total" in varied.mlflow_run(bad).data.metrics
    assert "seraena_author pruned: score" in varied.out.getvalue()
    # Its score is of an earlier step: the display must not take it for the best.
    assert (varied.shown_ends[bad.number], varied.shown_ends[good.number]) == (None, good.value)


def test_a_score_is_that_of_the_last_evaluation_in_both_records(varied: Study) -> None:
    (good,) = varied.baseline("seed_new")
    assert good.value == good.intermediate_values[20] == good.user_attrs[METRICS]["score"]
    assert varied.mlflow_run(good).data.metrics["score"] == pytest.approx(good.value)
    assert varied.mlflow_run(good).data.params["optimizer.learning_rate"] == "0.003"


def test_trials_that_did_not_come_to_their_end_keep_no_checkpoint(varied: Study) -> None:
    kept = [trial for trial in varied.trials if varied.artifact(trial, "checkpoint/model.safetensors").exists()]
    assert kept == varied.baseline("seed_new")


@pytest.fixture(scope="module")
def crowded(make_study: MakeStudy) -> Study:
    """Six trials by two workers at once; the one of trial 1 is killed, which cannot end before its last step is answered."""
    study = make_study()

    def disturb(coordinator: Coordinator, number: int, step: int) -> None:
        (at,) = [s.number for s in coordinator.slots if s.running is not None and s.running.trial.number == number]
        assert study.shown_slots[number] == at
        if (number, step) == (0, 0):
            for slot in coordinator.slots:  # so that both are there before the first trial begins
                assert slot.ready or slot.worker.connection.poll(120)
        if (number, step) == (1, 2):
            (slot,) = [s for s in coordinator.slots if s.running is not None and s.running.trial.number == 1]
            assert slot.worker.process.pid is not None
            os.kill(slot.worker.process.pid, signal.SIGKILL)
            slot.worker.process.join()

    study.run(6, disturb, workers=2)
    return study


def test_how_busy_the_workers_were_is_recorded_and_said(crowded: Study, varied: Study) -> None:
    def shares(study: Study) -> dict[str, float]:
        study.opened.parent.flush()
        metrics = MlflowClient(study.opened.prepared.store.uri).get_run(study.opened.parent.id).data.metrics
        return {name: share for name, share in metrics.items() if name.startswith("time/")}

    one, two = shares(varied), shares(crowded)
    assert set(one) == {"time/busy_share"}
    assert set(two) == {"time/busy_share", "time/busy_share/slot_0", "time/busy_share/slot_1"}
    assert 0 < one["time/busy_share"] < 1
    # Where the worker that was killed had no later trial, its slot was never busy.
    assert 0 < two["time/busy_share"] < 1
    assert all(0 <= share < 1 for share in two.values())
    assert f"workers busy {100 * one['time/busy_share']:.0f} % of the trials' time\n" in varied.out.getvalue()


def test_trials_without_a_wanted_checkpoint_are_complete_all_the_same(make_study: MakeStudy) -> None:
    study = make_study("tracking.keep_checkpoints=1")
    study.run(3, undisturbed)
    best = max(study.trials[:3], key=lambda trial: trial.value or 0)
    kept = [trial for trial in study.trials[:3] if study.artifact(trial, "checkpoint").exists()]
    assert [trial.number for trial in kept] == [best.number]
    assert all(study.artifact(trial, "diagnosis.json").exists() for trial in study.trials[:3])
    study.assert_records_agree()


def test_two_workers_finish_what_was_asked_for_and_nothing_twice(crowded: Study) -> None:
    assert crowded.most_at_once == 2
    complete = [trial for trial in crowded.trials if trial.state == TrialState.COMPLETE]
    assert len(complete) == 6
    assert len({str(sorted(trial.params.items())) for trial in complete}) == 6
    assert [trial.state for trial in crowded.trials if trial not in complete] == [TrialState.FAIL]
    assert len({trial.user_attrs[RUN_ID] for trial in crowded.trials}) == 7
    crowded.assert_records_agree()


def test_a_killed_worker_fails_its_trial_alone_and_its_settings_are_tried_again(crowded: Study) -> None:
    killed, again = crowded.baseline("seed_new")
    assert (killed.number, killed.state) == (1, TrialState.FAIL)
    assert killed.user_attrs[REASON] == "its worker ended with exit code -9"
    run = crowded.mlflow_run(killed)
    assert (run.info.status, run.data.tags["reason"]) == ("FAILED", "its worker ended with exit code -9")
    assert (again.state, again.user_attrs["retry_of"]) == (TrialState.COMPLETE, 1)
    assert again.params == killed.params
    assert "failed: its worker ended with exit code -9; its settings are queued again" in crowded.out.getvalue()


def test_a_trial_that_was_interrupted_neither_failed_nor_diverged(make_study: MakeStudy) -> None:
    study = make_study()

    def stop(coordinator: Coordinator, number: int, step: int) -> None:
        if (number, step) == (1, 1):
            coordinator.stop.signal_name = "SIGINT"

    study.run(6, stop)
    (cut,) = study.baseline("seed_new")
    assert (cut.state, cut.user_attrs[REASON]) == (TrialState.FAIL, "interrupted by SIGINT")
    assert failures(study.trials) == {}
    assert "trial 001 seed_new interrupted by SIGINT; its settings are queued again" in study.out.getvalue()
    assert study.shown_ends == {0: study.trials[0].value, 1: None}
    study.assert_records_agree()


def test_a_worker_that_hangs_is_killed_and_its_trial_tried_again(make_study: MakeStudy) -> None:
    study = make_study()

    def hang(coordinator: Coordinator, number: int, step: int) -> None:
        if (number, step) == (0, 0):
            assert coordinator.slots[0].worker.process.pid is not None
            os.kill(coordinator.slots[0].worker.process.pid, signal.SIGSTOP)
            coordinator.clock = lambda: time.monotonic() + 601  # as if so much time had passed

    study.run(3, hang)
    hung, again = study.baseline("seed_old")
    assert (hung.state, again.state) == (TrialState.FAIL, TrialState.COMPLETE)
    assert re.fullmatch(r"its worker said nothing for 60\d s and was killed", hung.user_attrs[REASON])
    assert again.user_attrs["retry_of"] == hung.number
    study.assert_records_agree()


def test_a_worker_that_hangs_while_it_starts_is_replaced(make_study: MakeStudy) -> None:
    study, hung = make_study(), []

    def clock() -> float:
        """Stops the worker when its time begins to count; every later look is as if 601 s had passed."""
        if hung:
            return 601.0
        hung.extend(child for child in psutil.Process().children() if "spawn_main" in " ".join(child.cmdline()))
        for process in hung:
            process.suspend()
        return 0.0

    study.run(1, undisturbed, clock=clock)
    (process,) = hung
    assert not process.is_running()
    assert [trial.state for trial in study.trials if trial.state != TrialState.WAITING] == [TrialState.COMPLETE]


def test_trials_that_fail_again_and_again_stop_the_study_with_the_reason(make_study: MakeStudy) -> None:
    study = make_study("search.max_failures=2")

    def fill_the_disk(coordinator: Coordinator, _number: int, _step: int) -> None:
        pid = coordinator.slots[0].worker.process.pid
        assert pid is not None
        _, hard = resource.prlimit(pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1 << 12, hard))  # no checkpoint is as small

    with pytest.raises(RuntimeError, match=r"at most 1 trials may fail .* failed with: .*File too large.*; mend"):
        study.run(6, fill_the_disk)
    failed = [trial for trial in study.trials if trial.state == TrialState.FAIL]
    assert [trial.user_attrs[BASELINE] for trial in failed] == ["seed_old", "seed_new"]
    assert all("File too large" in trial.user_attrs[REASON] for trial in failed)
    assert "Traceback" in study.artifact(failed[0], "traceback.txt").read_text()
    waiting = [trial.user_attrs[BASELINE] for trial in study.trials if trial.state == TrialState.WAITING]
    assert waiting == ["seraena_author", "seed_old", "seed_new"]
    study.assert_records_agree()


def test_a_worker_that_cannot_start_stops_the_study_at_once(make_study: MakeStudy) -> None:
    study = make_study("data.training_clips=9")
    study.opened.prepared.bank.path.unlink()
    with pytest.raises(RuntimeError, match="a worker must start, but ended with exit code 1 before its first trial"):
        study.run(6, undisturbed)
    assert {trial.state for trial in study.trials} == {TrialState.WAITING}
