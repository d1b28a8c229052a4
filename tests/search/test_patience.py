"""Optuna's storage while its database is really stopped, and while answers get lost."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import optuna
import pytest
from optuna.storages import RDBStorage
from optuna.trial import TrialState
from sqlalchemy.exc import OperationalError

from search.patience import PatientStorage, StorageAwayError
from search.signals import stop_on_signal
from search.storage import open_storage
from tests.places import Place, at
from tests.servers import PostgreSQL

pytestmark = at("postgresql")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def storage(place: Place, said: list[str], tmp_path) -> PatientStorage:
    storage = open_storage(tmp_path, place.storage, said.append)
    assert isinstance(storage, PatientStorage)
    return storage


@pytest.fixture
def study(storage: PatientStorage) -> optuna.Study:
    return optuna.create_study(study_name="s", storage=storage)


@pytest.fixture
def lost_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """The next call of a method does its work and its answer is lost."""

    def lose(name: str) -> None:
        method = getattr(RDBStorage, name)

        def lossy(*arguments: object, **options: object) -> object:
            monkeypatch.setattr(RDBStorage, name, method)
            method(*arguments, **options)
            raise OperationalError("COMMIT", {}, Exception("server closed the connection unexpectedly"))

        monkeypatch.setattr(RDBStorage, name, lossy)

    return lose


@pytest.fixture
def stopped(postgresql: PostgreSQL) -> Iterator[PostgreSQL]:
    """PostgreSQL while it is stopped; it runs again after the test."""
    postgresql.stop()
    yield postgresql
    postgresql.start()


def test_a_study_waits_for_its_database_and_loses_nothing(
    study: optuna.Study, postgresql: PostgreSQL, said: list[str]
) -> None:
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    postgresql.stop()

    def start_when_missed() -> None:
        while not said:
            time.sleep(0.01)
        postgresql.start()

    back = threading.Thread(target=start_when_missed)
    back.start()
    trial.report(0.5, 1)
    study.tell(trial, 0.25)
    back.join()
    (told,) = study.get_trials()
    assert (told.state, told.value, told.intermediate_values) == (TrialState.COMPLETE, 0.25, {1: 0.5})
    away, again = said
    assert away.startswith("postgresql://tests@127.0.0.1:")
    assert away.endswith("does not answer: the study waits for it for up to 300 s")
    assert "answers again after" in again


def test_patience_ends_in_one_line_and_every_further_call_at_once(
    study: optuna.Study, storage: PatientStorage, stopped: PostgreSQL, monkeypatch: pytest.MonkeyPatch
) -> None:
    storage.patience_s = 0.1
    with pytest.raises(StorageAwayError, match=r"did not for 0 s; start it and give the same command again") as error:
        study.ask()
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)
    monkeypatch.setattr("search.patience.time.sleep", lambda _s: pytest.fail("it waits again"))
    with pytest.raises(StorageAwayError):
        study.ask()


def test_a_record_is_not_opened_while_its_database_is_away(place: Place, stopped: PostgreSQL, tmp_path) -> None:
    with pytest.raises(RuntimeError, match=r"but postgresql://tests@127.0.0.1:.*refused; start that server") as error:
        open_storage(tmp_path, place.storage, print)
    assert "secret" not in str(error.value)


def test_a_new_trial_whose_answer_was_lost_is_not_made_twice(
    study: optuna.Study, lost_answer: Callable[[str], None]
) -> None:
    study.ask()
    lost_answer("_create_new_trial")
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    assert [each.number for each in study.get_trials()] == [0, 1]
    assert trial.number == 1


def test_a_queued_trial_whose_answer_was_lost_is_queued_once(
    study: optuna.Study, lost_answer: Callable[[str], None]
) -> None:
    lost_answer("_create_new_trial")
    study.enqueue_trial({"x": 0.5}, user_attrs={"baseline": "a"})
    (queued,) = study.get_trials()
    assert (queued.state, queued.user_attrs) == (TrialState.WAITING, {"baseline": "a"})
    lost_answer("set_trial_state_values")
    assert study.ask().number == 0  # and not a second one, with the first left running for ever


def test_a_score_whose_answer_was_lost_is_told_once(study: optuna.Study, lost_answer: Callable[[str], None]) -> None:
    trial = study.ask()
    lost_answer("set_trial_state_values")
    study.tell(trial, 0.25)
    assert study.trials[0].value == 0.25


def test_a_mistake_is_no_outage(study: optuna.Study, said: list[str]) -> None:
    trial = study.ask()
    study.tell(trial, 0.25)
    with pytest.raises(ValueError, match="COMPLETE"):
        study.tell(trial, 0.5)
    assert said == []


def test_a_request_to_stop_ends_the_wait(study: optuna.Study, storage: PatientStorage, stopped: PostgreSQL) -> None:
    with stop_on_signal() as stop:
        storage.stop = stop
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StorageAwayError, match="did not until SIGINT; start it and give the same command again"):
            study.ask()
