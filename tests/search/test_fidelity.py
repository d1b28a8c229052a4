"""Trials trained longer on purpose, and what that says about the ranking."""

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from search.fidelity import measure_fidelity
from search.opening import OpenStudy
from search.promotion.candidates import spread_over
from search.promotion.repeats import plan_repeats
from search.ranking import rank
from search.run import search
from search.settings import Settings, load_settings
from tests.commands import ROOT, TINY
from tests.search.promotable import Terminated
from tests.search.recorded_trials import add_recorded, add_repeat
from tracking.query import find_runs, read_json
from tracking.store import artifact_folder, open_store


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
    assert "next     python -m search.run --trials 50 " in out.getvalue()
    assert find_runs(store, role="study")[0].status == "KILLED"  # 4 of the 50 trials that it was asked for


def test_sigterm_before_the_first_training_ends_the_command_as_ctrl_c_does(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    settings = tiny()
    for score in (30.0, 31.0, 32.0, 33.0):
        add_recorded(opened, settings, score, encoder=score / 100)
    opened.lease.close()
    with pytest.raises(KeyboardInterrupt, match="stopped by SIGTERM"):
        measure_fidelity(settings, 4, 8, Console(file=Terminated("confirmations: "), width=200))
    assert find_runs(opened.prepared.store, role="confirm") == []
    assert find_runs(opened.prepared.store, role="study")[0].status == "KILLED"


@pytest.mark.long
def test_trials_over_the_ranking_are_trained_longer_and_the_orders_compared(tmp_path: Path, cache_dir: Path) -> None:
    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={tmp_path / 'mlruns'}", "search.workers=2"]
    settings, out = load_settings(ROOT / "conf.toml", "cpu", changes), io.StringIO()
    search(settings, 4, Console(file=out, width=200))
    measure_fidelity(settings, 4, 8, Console(file=out, width=300))
    store = open_store(settings.tracking)
    confirmations = find_runs(store, role="confirm")
    assert {row.tags["trial_number"] for row in confirmations} == {"0", "1", "2", "3"}
    assert {row.parameters["training.steps"] for row in confirmations} == {"8"}
    assert {row.parameters["training.seed"] for row in confirmations} == {str(settings.training.seed)}
    (study,) = find_runs(store, role="study")
    assert study.status == "FINISHED"
    (agreement,) = json.loads((artifact_folder(store, study.id) / "fidelity.json").read_text())
    assert (agreement["short_steps"], agreement["long_steps"], len(agreement["points"])) == (4, 8, 4)
    trials = {f"trial {row.tags['trial_number']}": row.metrics["score"] for row in find_runs(store, role="trial")}
    assert {point["label"]: point["short"] for point in agreement["points"]} == trials
    assert "4 against 8 steps over 4 settings: Spearman " in out.getvalue()
