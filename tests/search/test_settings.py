"""Addresses in the settings: refused in one line, never recorded with a password, no part of a study's identity."""

from collections.abc import Callable

import pytest

from model.settings import SettingsError
from search.record import to_toml
from search.settings import Settings, recorded
from search.study import study_name

BOTH = ("tracking.uri=postgresql://me:secret@host/mlflow", "search.storage=postgresql://me:secret@host/optuna")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (["search.storage=http://host:5000"], r"^\[search.storage\] an address must be empty \(SQLite\) or postgresql"),
        (
            ["tracking.uri=file:///runs"],
            r"^\[tracking.uri\] an address must be .* or http://HOST:PORT, but is file:///runs",
        ),
        (
            ["search.storage=postgresql://a:secret@host/x", "tracking.uri=postgresql://b@host:5432/x"],
            r"^Optuna and MLflow must have a database each.* both postgresql://a@host/x; make another with createdb$",
        ),
    ],
)
def test_an_address_that_cannot_be_is_one_line(tiny: Callable[..., Settings], changes: list[str], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        tiny(*changes)
    assert "secret" not in str(error.value)


def test_a_baseline_whose_schedule_is_not_searched_is_one_line(tiny: Callable[..., Settings]) -> None:
    with pytest.raises(SettingsError) as error:
        tiny('search.space.schedule=["cosine", "constant"]')
    text = str(error.value)
    assert "a baseline's schedule must be one of search.space.schedule" in text
    assert (
        "search.baselines.seed_old.schedule is cosine_with_restarts and the space has cosine, constant; add it" in text
    )
    assert "\n" not in text
    both = ('search.space.schedule=["cosine", "constant"]', "search.baselines.seed_old.schedule=cosine")
    assert tiny(*both).search.baselines["seed_old"].schedule == "cosine"


def test_passwords_are_used_and_not_recorded(tiny: Callable[..., Settings]) -> None:
    settings = tiny(*BOTH)
    assert settings.tracking.uri == "postgresql://me:secret@host/mlflow"
    assert "secret" not in to_toml(settings)
    assert recorded(settings).search.storage == "postgresql://me@host/optuna"


def test_a_study_is_the_same_wherever_it_is_kept(tiny: Callable[..., Settings]) -> None:
    assert study_name(tiny(*BOTH), perceptual=True) == study_name(tiny(), perceptual=True)
