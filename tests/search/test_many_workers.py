"""More workers than processors, and trials that are over as soon as they have begun: the coordinator is what counts."""

from collections import Counter

import pytest
from optuna.trial import TrialState

from benchmarks.own_time import own_time
from search.study import REASON, RUN_ID
from tests.search.disturbed import MakeStudy, undisturbed
from tracking.query import children

TRIALS, WORKERS = 200, 8

#: CPU milliseconds that the coordinator may spend on a trial outside of Optuna and MLflow.
OWN_MS = 25


@pytest.mark.long
def test_eight_workers_end_200_tiny_trials_once_each_and_the_coordinator_hardly_works(make_study: MakeStudy) -> None:
    study = make_study("training.steps=1", "training.evaluate_every=1", "tracking.keep_checkpoints=3")
    # CPU time of the coordinator's thread, which nobody else's work makes longer by waiting: from the start of the workers
    # to their end, without the time inside Optuna (sampler and database) and MLflow's client.
    with own_time() as taken:
        study.run(TRIALS, undisturbed, workers=WORKERS)

    trials = study.trials
    assert [trial.user_attrs[REASON] for trial in trials if REASON in trial.user_attrs] == []
    assert Counter(trial.state for trial in trials) == {TrialState.COMPLETE: TRIALS}
    assert study.most_at_once == WORKERS
    parameters = Counter(str(sorted(trial.params.items())) for trial in trials)
    assert [times for times in parameters.values() if times > 1] == []
    assert len({trial.user_attrs[RUN_ID] for trial in trials}) == TRIALS

    rows = children(study.opened.prepared.store, study.opened.parent.id)
    assert {row.id for row in rows} == {trial.user_attrs[RUN_ID] for trial in trials}
    assert sorted(int(row.tags["trial_number"]) for row in rows) == list(range(TRIALS))
    assert {row.tags["state"] for row in rows} == {"complete"}
    assert len([trial for trial in trials if study.artifact(trial, "checkpoint").exists()]) == 3
    study.assert_records_agree()

    assert 1000 * taken.own_s / TRIALS < OWN_MS, (
        f"{taken.own_s:.1f} s of its own, {taken.libraries_s:.1f} s in libraries"
    )
