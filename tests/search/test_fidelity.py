"""Trials trained longer on purpose, as far as the command refuses; what it trains is in tests/search/promotion."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from search.fidelity import measure_fidelity
from search.opening import OpenStudy
from search.promotion.candidates import spread_over
from search.promotion.repeats import plan_repeats
from search.ranking import rank
from search.settings import Settings
from tests.search.recorded_trials import add_recorded, add_repeat
from tracking.query import find_runs, read_json
from tracking.store import artifact_folder


def test_no_more_steps_than_a_trial_has_are_refused(tiny: Callable[..., Settings]) -> None:
    with pytest.raises(ValueError, match=r"must be more than a trial has \(training.steps\), but 4 <= 4; give more"):
        measure_fidelity(tiny(), 4, 4, Console(file=io.StringIO()))


def test_what_is_in_the_record_is_compared_and_told_in_the_report(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    settings = tiny()
    for score in (30.0, 31.0, 32.0, 33.0):
        add_recorded(opened, settings, score, encoder=score / 100)
    plans = plan_repeats(settings, spread_over(rank(opened.study), 4), [settings.training.seed], [8])
    for place, plan in enumerate(plans):
        add_repeat(opened, plan.candidate.trial, plan.seed, 8, 50.0 + place, identity=plan.identity)
    opened.lease.close()
    out = io.StringIO()
    measure_fidelity(settings, 4, 8, Console(file=out, width=200))
    # The best of the short trainings is the worst of the long ones.
    assert "confirmations: 4, of them 4 in the record; 0 steps to train" in out.getvalue()
    assert "4 against 8 steps over 4 settings: Spearman -1.00" in out.getvalue()
    store, parent = opened.prepared.store, opened.parent.id
    assert [found["regret"] for found in read_json(store, parent, "fidelity.json")] == [3.0]
    assert "Spearman -1.00" in (artifact_folder(store, parent) / "report.html").read_text()
    assert find_runs(store, role="study")[0].status == "KILLED"  # 4 of the 50 trials that it was asked for
