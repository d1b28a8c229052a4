"""What workers may do to a study: each fault for real, and what both records say of it afterwards."""

import os
from multiprocessing.connection import Connection

import psutil
import pytest
import torch
from optuna.trial import TrialState
from sqlalchemy import update

import model.training.stepping
import search.workers.local
import search.workers.worker
from search.coordinator import Coordinator
from search.lease import LEASES
from search.study import MAX_RETRIES, REASON, RETRIES, fail
from search.workers.messages import Assignment, Task
from search.workers.worker import work
from tests.search.disturbed import MakeStudy, pid_of, undisturbed
from tracking.query import read_json

#: Clips that a step on the device of `work_in_little_memory` has room for.
ROOM = 2


def work_in_little_memory(connection: Connection, assignment: Assignment) -> None:
    """A worker on a device that has room for ROOM clips; no limit of a CPU's memory is met at the same clip each time."""
    real = model.training.stepping.take_step

    def take_step(state, batch, *arguments, **named):
        if len(batch.video) > ROOM:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(state, batch, *arguments, **named)

    model.training.stepping.take_step = take_step  # in a process of its own
    work(connection, assignment)


def work_that_exits(connection: Connection, assignment: Assignment) -> None:
    """A worker that ends itself at the first measurement of the settings of the baseline seed_old."""
    real = search.workers.worker.attempt

    def attempt(connection: Connection, assignment: Assignment, task: Task, *rest):
        if (task.changes["losses.reconstruction"], task.changes["losses.encoder"]) == (0.1, 1.0):
            search.workers.worker.tell = lambda *_arguments, **_named: os._exit(3)
        return real(connection, assignment, task, *rest)

    search.workers.worker.attempt = attempt  # in a process of its own
    work(connection, assignment)


def test_a_worker_without_memory_names_the_batch_that_fits_and_is_replaced(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.workers.local, "work", work_in_little_memory)
    study = make_study("training.batch_size=8", "search.max_failures=2")
    workers: set[psutil.Process] = set()

    def note(coordinator: Coordinator, number: int, _step: int) -> None:
        workers.add(psutil.Process(pid_of(coordinator, number)))

    reason = (
        "out of memory at training.batch_size = 8: OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.; "
        "set training.batch_size = 2, which fits"
    )
    with pytest.raises(RuntimeError, match=r"the last failed with: out of memory at training\.batch_size = 8: "):
        study.run(3, note)
    failed = [trial for trial in study.trials if trial.state == TrialState.FAIL]
    assert [trial.user_attrs[REASON] for trial in failed] == [reason, reason]
    for trial in failed:
        run = study.mlflow_run(trial)
        assert (run.info.status, run.data.tags["state"], run.data.tags["reason"]) == ("FAILED", "failed", reason)
        assert run.data.tags["diagnosis"] == "error"
        (found,) = read_json(study.opened.prepared.store, run.info.run_id, "diagnosis.json")["findings"]
        assert found["code"] == "memory.exhausted"
        assert "training.batch_size = 2 fits (tried)" in found["evidence"]
    queued = [trial for trial in study.trials if trial.state == TrialState.WAITING and RETRIES in trial.user_attrs]
    assert [trial.user_attrs["retry_of"] for trial in queued] == [0, 1]
    assert len(workers) == 2  # a worker that ran out of memory takes no other trial
    assert not any(worker.is_running() for worker in workers)
    study.assert_records_agree()


@pytest.mark.long
def test_settings_that_end_every_worker_are_given_up_after_two_retries_and_the_study_goes_on(
    make_study: MakeStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.workers.local, "work", work_that_exits)
    study = make_study("search.max_failures=2")
    study.run(3, undisturbed)
    tries = study.baseline("seed_old")
    assert [trial.state for trial in tries] == [TrialState.FAIL] * (1 + MAX_RETRIES)
    assert [trial.user_attrs.get(RETRIES, 0) for trial in tries] == [0, 1, 2]
    for trial in tries:
        assert trial.user_attrs[REASON] == "its worker ended with exit code 3"
        run = study.mlflow_run(trial)
        assert (run.info.status, run.data.tags["state"]) == ("FAILED", "failed")
        assert run.data.tags["reason"] == "its worker ended with exit code 3"
    assert "its worker ended with exit code 3; its settings are given up" in study.out.getvalue()
    complete = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    assert len(complete) == 3
    assert TrialState.WAITING not in {trial.state for trial in study.trials}
    study.assert_records_agree()


def test_a_coordinator_that_was_taken_over_stops_and_queues_nothing_twice(make_study: MakeStudy) -> None:
    study = make_study()

    def take_over(coordinator: Coordinator, number: int, step: int) -> None:
        if (number, step) == (0, 1):
            lease = study.opened.lease
            with lease.engine.begin() as connection:
                connection.execute(update(LEASES).values(token="another", name="anna@node7, process 9"))
            fail(study.opened.study, 0, "left running by a command that was killed", own_fault=False)
            lease.renew()

    with pytest.raises(RuntimeError, match="taken over by anna@node7, process 9; leave the study to it"):
        study.run(3, take_over)
    assert [trial.state for trial in study.baseline("seed_old")] == [TrialState.FAIL]
    again = [trial for trial in study.trials if trial.user_attrs.get("retry_of") == 0]
    assert [trial.state for trial in again] == [TrialState.WAITING]
    study.assert_records_agree()
