from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState

from search.checkpoints import drop_checkpoints, is_kept
from search.opening import OpenStudy
from tracking.store import artifact_folder


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(direction="maximize")


def kept(opened: OpenStudy, runs: list[str]) -> list[int]:
    """Places in the list of those runs that have a checkpoint."""
    return [
        place
        for place, run_id in enumerate(runs)
        if (artifact_folder(opened.prepared.store, run_id) / "checkpoint" / "model.safetensors").exists()
    ]


def test_a_trial_is_kept_when_it_is_among_the_best(study: optuna.Study, add_trial: Callable[..., int]) -> None:
    assert is_kept(study, 1.0, keep=1)  # the first of all
    for score in (10.0, 30.0, 20.0):
        add_trial(study, score)
    assert [is_kept(study, score, keep=2) for score in (5.0, 15.0, 20.0, 25.0, 35.0)] == [
        *(False, False),
        *(True, True, True),  # an equal score is no worse
    ]
    assert is_kept(study, 5.0, keep=4)


def test_trials_without_a_score_take_nobodys_place(study: optuna.Study, add_trial: Callable[..., int]) -> None:
    add_trial(study, None, TrialState.PRUNED)
    add_trial(study, None, TrialState.FAIL)
    assert is_kept(study, 1.0, keep=1)


def test_only_the_best_keep_theirs_and_everything_else_stays(
    opened: OpenStudy, study: optuna.Study, add_trial: Callable[..., int], run_with_checkpoint: Callable[..., str]
) -> None:
    runs = [run_with_checkpoint(opened) for _ in range(4)]
    for score, run_id in zip((10.0, 40.0, 20.0, 30.0), runs, strict=True):
        add_trial(study, score, run_id=run_id)
    assert kept(opened, runs) == [0, 1, 2, 3]
    drop_checkpoints(study, opened.prepared.store, keep=2, most=1)  # the next best, which the newest has pushed out
    assert kept(opened, runs) == [0, 1, 3]
    drop_checkpoints(study, opened.prepared.store, keep=2)
    assert kept(opened, runs) == [1, 3]
    drop_checkpoints(study, opened.prepared.store, keep=2)
    assert kept(opened, runs) == [1, 3]
    assert all((artifact_folder(opened.prepared.store, run_id) / "conf.toml").exists() for run_id in runs)
