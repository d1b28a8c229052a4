"""Bring the two records together after a kill: Optuna is the truth, MLflow follows."""

import shutil
from collections.abc import Callable

from optuna import Study
from optuna.trial import TrialState

from search.checkpoints import drop_checkpoints
from search.preparation import running_folder
from search.record import STATES, Status
from search.study import RUN_ID, fail
from tracking.query import children
from tracking.run import Run, reopen_run
from tracking.store import Store

#: MLflow's status for Optuna's state.
STATUS: dict[TrialState, Status] = {
    TrialState.COMPLETE: "FINISHED",
    TrialState.PRUNED: "KILLED",
    TrialState.FAIL: "FAILED",
}


def reconcile(study: Study, store: Store, parent: Run, keep_checkpoints: int, say: Callable[[str], None]) -> None:
    """Close what a killed command left open. Call it under the study's lock: no trial can be running then."""
    close_trials(study, say)
    close_runs(study, store, parent, say)
    drop_checkpoints(study, store, keep_checkpoints)


def close_trials(study: Study, say: Callable[[str], None]) -> None:
    """Fail the trials that are still RUNNING in Optuna and queue their settings again."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        again = fail(study, trial.number, "left running by a command that was killed", own_fault=False)
        say(f"trial {trial.number} was left running: {'queued again' if again else 'given up after its last retry'}")


def close_runs(study: Study, store: Store, parent: Run, say: Callable[[str], None]) -> None:
    """End every open run of the study as what its trial became; a run that no trial knows has failed."""
    states = {trial.user_attrs.get(RUN_ID): trial.state for trial in study.get_trials(deepcopy=False)}
    for row in children(store, parent.id):
        if row.status == "RUNNING":
            status = STATUS[states.get(row.id, TrialState.FAIL)]
            run = reopen_run(store, row.id)
            run.tags({"state": STATES[status]})
            run.finish(status)
            shutil.rmtree(running_folder(store) / row.id, ignore_errors=True)
            say(f"run '{row.name}' was left open: closed as {status}")
