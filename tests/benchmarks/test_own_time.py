import time
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient

from benchmarks.own_time import OwnTime, own_time


def compute_for(seconds: float) -> None:
    """Use the processor of this thread for so long."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_time_in_the_libraries_is_not_own_time() -> None:
    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("rate", 0, 1)
        return 1.0

    class SlowSampler(optuna.samplers.RandomSampler):
        def sample_independent(self, *arguments: object) -> float:
            compute_for(0.2)
            return 0.5

    study = optuna.create_study(sampler=SlowSampler())
    with own_time() as taken:
        trial = study.ask()
        objective(trial)
        compute_for(0.1)
        study.tell(trial, 1.0)
    assert taken.libraries_s >= 0.2
    assert 0.1 <= taken.own_s < 0.2
    assert taken.all_s == pytest.approx(taken.own_s + taken.libraries_s)


def test_a_library_that_calls_itself_is_counted_once() -> None:
    taken = OwnTime()
    inner = taken.counted(lambda: compute_for(0.1))
    outer = taken.counted(inner)
    outer()
    assert 0.1 <= taken.libraries_s < 0.2


def test_an_error_goes_through_and_is_counted(tmp_path: Path) -> None:
    def fail() -> None:
        compute_for(0.1)
        raise LookupError("none")

    taken = OwnTime()
    with pytest.raises(LookupError, match="none"):
        taken.counted(fail)()
    assert taken.libraries_s >= 0.1


def test_the_libraries_are_afterwards_as_before() -> None:
    before = MlflowClient.log_batch, optuna.Study.ask, optuna.Trial.report
    with own_time():
        assert MlflowClient.log_batch is not before[0]
    assert (MlflowClient.log_batch, optuna.Study.ask, optuna.Trial.report) == before
