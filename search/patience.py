"""Optuna's storage in a database that may go away for a while: what cannot be done now is done when it is back."""

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy import text

from search.signals import StopRequest
from tracking.failure import is_away

#: Seconds that a study waits for its database: a restart takes some, a failover a minute or two.
PATIENCE_S = 300.0
#: Seconds between two tries.
RETRY_S = 1.0


class StorageAwayError(RuntimeError):
    """The database did not come back within the patience."""


def patiently(method: Callable[..., Any]) -> Callable[..., Any]:
    """Try a method again while the database is away. It must be one that may be done twice."""

    @functools.wraps(method)
    def patient(self: "PatientStorage", *arguments: Any, **options: Any) -> Any:
        return self.keep_trying(lambda _again: method(self, *arguments, **options))

    return patient


class PatientStorage(RDBStorage):
    """Optuna's storage whose operations wait for the database.

    A commit whose answer is lost may have been made. Attributes, parameters and values can be written twice; a new trial and a
    trial's new state are looked for first. That is sound because one coordinator alone writes to a study.

    Args:
        url: of the database.
        place: its name for people.
        say: prints a line when the database goes away, and when it is back.
        patience_s: seconds to wait for it.
    """

    def __init__(self, url: str, place: str, say: Callable[[str], None], patience_s: float = PATIENCE_S) -> None:
        self.place, self.say, self.patience_s = place, say, patience_s
        self.gave_up: StorageAwayError | None = None
        self.stop = StopRequest()
        # Nobody waits while the tables are made: who opens a record is told at once that its database is away.
        self.open = False
        super().__init__(url, engine_kwargs={"pool_pre_ping": True})
        self.open = True

    def keep_trying(self, act: Callable[[bool], Any]) -> Any:
        """Act until the database has answered; `act` is told whether it may have been done before.

        Raises:
            StorageAwayError: it stayed away for too long, now or before.
        """
        begun: float | None = None
        while True:
            if self.gave_up is not None:
                raise self.gave_up
            try:
                result = act(begun is not None)
            except Exception as error:
                if not self.open or not is_away(error):
                    raise
                now = time.monotonic()
                if begun is None:
                    begun = now
                    self.say(f"{self.place} does not answer: the study waits for it for up to {self.patience_s:.0f} s")
                elif self.stop or now - begun > self.patience_s:
                    when = f"until {self.stop.signal_name}" if self.stop else f"for {self.patience_s:.0f} s"
                    self.gave_up = StorageAwayError(
                        f"the study's database must answer, but {self.place} did not {when}; start it and "
                        "give the same command again, finished trials are kept"
                    )
                    raise self.gave_up from error
                time.sleep(RETRY_S)
            else:
                if begun is not None:
                    self.say(f"{self.place} answers again after {time.monotonic() - begun:.0f} s: the study goes on")
                return result

    def _create_new_trial(self, study_id: int, template_trial: FrozenTrial | None = None) -> FrozenTrial:
        before = self.keep_trying(lambda _again: self.newest(study_id))

        def create(again: bool) -> FrozenTrial:
            newest = self.newest(study_id) if again else before
            if newest is not None and newest != before:
                return RDBStorage.get_trial(self, newest)
            return RDBStorage._create_new_trial(self, study_id, template_trial)

        return self.keep_trying(create)

    def newest(self, study_id: int) -> int | None:
        """Id of the study's newest trial."""
        query = text("SELECT MAX(trial_id) FROM trials WHERE study_id = :study")
        with self.engine.connect() as connection:
            found: int | None = connection.execute(query, {"study": study_id}).scalar()
            return found

    def set_trial_state_values(self, trial_id: int, state: TrialState, values: Sequence[float] | None = None) -> bool:
        """Set a trial's state, also where an earlier try did so and its answer was lost."""

        def set_state(again: bool) -> bool:
            try:
                done = RDBStorage.set_trial_state_values(self, trial_id, state, values)
            except UpdateFinishedTrialError:
                if not again:
                    raise
                done = False
            return done or (again and RDBStorage.get_trial(self, trial_id).state == state)

        return self.keep_trying(set_state)

    # Optuna's own cache in front of a storage calls these, some of them by their private names.
    create_new_study = patiently(RDBStorage.create_new_study)
    set_study_user_attr = patiently(RDBStorage.set_study_user_attr)
    set_study_system_attr = patiently(RDBStorage.set_study_system_attr)
    get_study_id_from_name = patiently(RDBStorage.get_study_id_from_name)
    get_study_name_from_id = patiently(RDBStorage.get_study_name_from_id)
    get_study_directions = patiently(RDBStorage.get_study_directions)
    get_study_user_attrs = patiently(RDBStorage.get_study_user_attrs)
    get_study_system_attrs = patiently(RDBStorage.get_study_system_attrs)
    get_all_studies = patiently(RDBStorage.get_all_studies)
    _set_trial_param = patiently(RDBStorage._set_trial_param)
    set_trial_intermediate_value = patiently(RDBStorage.set_trial_intermediate_value)
    set_trial_user_attr = patiently(RDBStorage.set_trial_user_attr)
    set_trial_system_attr = patiently(RDBStorage.set_trial_system_attr)
    get_trial_id_from_study_id_trial_number = patiently(RDBStorage.get_trial_id_from_study_id_trial_number)
    get_trial = patiently(RDBStorage.get_trial)
    _get_trials = patiently(RDBStorage._get_trials)
    _get_best_trial_id = patiently(RDBStorage._get_best_trial_id)
