from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState

from search.checkpoints import Best, add_checkpoint, best_of, drop_checkpoints
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
    assert best_of(study, keep=1).takes(1.0)  # the first of all
    for score in (10.0, 30.0, 20.0):
        add_trial(study, score)
    assert [best_of(study, keep=2).takes(score) for score in (5.0, 15.0, 20.0, 25.0, 35.0)] == [
        *(False, False),
        *(True, True, True),  # an equal score is no worse
    ]
    assert best_of(study, keep=4).takes(5.0)


def test_a_trial_that_comes_takes_the_place_of_the_last() -> None:
    best = Best(keep=2)
    assert [best.add(score, number, f"run{number}") for number, score in enumerate((10.0, 30.0, 20.0, 5.0))] == [
        *(None, None),
        "run0",
        "run3",  # it is not among them itself
    ]
    assert best.add(20.0, 1, "older") == "run2"  # of equal scores the older trial's stays, as in the ranking
    assert [run_id for *_, run_id in best.trials] == ["run1", "older"]


def test_nobody_keeps_one_where_none_is_kept() -> None:
    best = Best(keep=0)
    assert not best.takes(40.0)
    assert best.add(40.0, 0, "run0") == "run0"


def test_what_is_counted_while_trials_end_is_what_the_study_says(
    study: optuna.Study, add_trial: Callable[..., int]
) -> None:
    best = Best(keep=3)
    for score in (10.0, 30.0, 20.0, 30.0, 25.0, 30.0, 5.0):
        number = add_trial(study, score)
        best.add(score, number, f"run{number}")
        assert best == best_of(study, keep=3)


def test_trials_without_a_score_take_nobodys_place(study: optuna.Study, add_trial: Callable[..., int]) -> None:
    add_trial(study, None, TrialState.PRUNED)
    add_trial(study, 50.0, TrialState.PRUNED)  # of an earlier step
    add_trial(study, None, TrialState.FAIL)
    assert best_of(study, keep=1).takes(1.0)


def test_only_the_best_keep_theirs_and_everything_else_stays(
    opened: OpenStudy, study: optuna.Study, add_trial: Callable[..., int], run_with_checkpoint: Callable[..., str]
) -> None:
    runs = [run_with_checkpoint(opened) for _ in range(4)]
    for score, run_id in zip((10.0, 40.0, 20.0, 30.0), runs, strict=True):
        add_trial(study, score, run_id=run_id)
    assert kept(opened, runs) == [0, 1, 2, 3]
    drop_checkpoints(study, opened.prepared.store, keep=2)
    assert kept(opened, runs) == [1, 3]
    drop_checkpoints(study, opened.prepared.store, keep=2)
    assert kept(opened, runs) == [1, 3]
    assert all((artifact_folder(opened.prepared.store, run_id) / "conf.toml").exists() for run_id in runs)


def test_a_trial_that_comes_takes_the_checkpoint_of_the_one_it_pushes_out(
    opened: OpenStudy, run_with_checkpoint: Callable[..., str]
) -> None:
    store, best = opened.prepared.store, Best(keep=1)
    runs = [run_with_checkpoint(opened) for _ in range(3)]
    for number, (score, left) in enumerate(((10.0, [0, 1, 2]), (30.0, [1, 2]), (20.0, [1]))):
        add_checkpoint(best, store, score, number, runs[number])
        assert kept(opened, runs) == left
