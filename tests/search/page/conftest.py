"""A small study with made-up numbers in both records, read back once for the tests of the sections."""

from collections.abc import Callable

import pytest
from optuna.trial import TrialState

from search.opening import OpenStudy
from search.page.evidence import PageEvidence
from search.settings import Settings
from tests.search.recorded_trials import add_recorded, evidence_of


@pytest.fixture
def settings(tiny: Callable[..., Settings]) -> Settings:
    return tiny()


@pytest.fixture
def evidence(opened: OpenStudy, settings: Settings) -> PageEvidence:
    """Trials 3 to 9: both baselines of the seed, three others, one pruned, one failed; trial 5 is the best."""
    add_recorded(opened, settings, 30.0, baseline="seed_old", clips={"a": 10.0, "b": 20.0}, pictures=True)
    add_recorded(opened, settings, 32.0, baseline="seed_new", clips={"a": 11.0, "b": 21.0})
    add_recorded(opened, settings, 36.0, clips={"a": 13.0, "b": 23.0}, pictures=True, encoder=0.5, schedule="linear")
    add_recorded(opened, settings, 34.0, encoder=0.4)
    add_recorded(opened, settings, 28.0, encoder=0.02)
    add_recorded(opened, settings, 20.0, TrialState.PRUNED)
    add_recorded(opened, settings, None, TrialState.FAIL, reason="its worker exited with code 1")
    return evidence_of(opened, settings)
