"""Bring the two records together after a kill: Optuna is the truth, MLflow follows."""

import shutil
from collections.abc import Callable
from dataclasses import replace

from optuna import Study
from optuna.trial import TrialState

from search.checkpoints import drop_checkpoints
from search.preparation import running_folder
from search.record import STATES, Status
from search.study import REASON, RUN_ID, fail
from tracking.artifacts import upload_again
from tracking.diagnosis import diagnose
from tracking.diagnosis_files import log_diagnosis
from tracking.query import RunRow, open_children
from tracking.recorded import evidence_of_run
from tracking.run import Run, move_checkpoint, reopen_run
from tracking.store import Store
from tracking.summary.summary import log_summary

#: MLflow's status for Optuna's state.
STATUS: dict[TrialState, Status] = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}


#: Why a trial or a full run ended that nobody ended.
KILLED = "left running by a command that was killed"


def reconcile(study: Study, store: Store, parent: Run, keep_checkpoints: int, say: Callable[[str], None]) -> None:
    """Close what a killed command left open. Call it under the study's lock: no trial can be running then."""
    close_trials(study, say)
    close_runs(study, store, parent, say)
    drop_checkpoints(study, store, keep_checkpoints)


def close_trials(study: Study, say: Callable[[str], None]) -> None:
    """Fail the trials that are still RUNNING in Optuna and queue their settings again."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        again = fail(study, trial.number, KILLED, own_fault=False)
        end = "queued again" if again else "given up: it had its last retry, or no settings yet"
        say(f"trial {trial.number} was left running: {end}")


def close_runs(study: Study, store: Store, parent: Run, say: Callable[[str], None]) -> None:
    """End every open run of the study as what its trial became; a run that no trial knows has failed."""
    trials = {trial.user_attrs.get(RUN_ID): trial for trial in study.get_trials(deepcopy=False)}
    for row in open_children(store, parent.id):
        if row.role == "full":
            leave_for_promotion(store, row, say)
            continue
        known_as = next((name for name in row.names if name in trials), row.id)
        trial = trials.get(known_as)
        status = STATUS[trial.state] if trial else "FAILED"
        reason = {"reason": trial.user_attrs[REASON]} if trial and REASON in trial.user_attrs else {}
        run = reopen_run(store, row.id)
        if status != "FAILED":
            conclude_run(store, replace(row, tags=row.tags | reason), run)
            move_checkpoint(store, row.id, running_folder(store) / known_as / "checkpoint")
        close_run(store, row, run, status, {"state": STATES[status]} | reason)
        say(f"run '{row.name}' was left open: closed as {status}")


def close_run(store: Store, row: RunRow, run: Run, status: Status, tags: dict[str, str]) -> None:
    """End a run that was left open, with all that this machine has of it, and remove its training's own files."""
    upload_again(store, row.id)
    run.tags(tags)
    for name in row.names:
        shutil.rmtree(running_folder(store) / name, ignore_errors=True)
    run.finish(status)


def leave_for_promotion(store: Store, row: RunRow, say: Callable[[str], None]) -> None:
    """Close the run of a full training that was killed; its files stay where they are, to go on from."""
    run = reopen_run(store, row.id)
    run.tags({"state": "interrupted", "reason": KILLED})
    run.finish("KILLED")
    say(f"run '{row.name}' was left open: python -m search.promote goes on with it")


def conclude_run(store: Store, row: RunRow, run: Run) -> None:
    """Diagnose a finished trial from its record, where the command that trained it was killed before it did."""
    if "diagnosis" not in row.tags:
        evidence = evidence_of_run(store, row)
        diagnosis = diagnose(evidence)
        log_summary(row.name, diagnosis, evidence, store, run)
        log_diagnosis(diagnosis, evidence, run)
