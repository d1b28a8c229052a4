import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from search.fidelity import measure_fidelity
from search.run import search
from search.settings import load_settings
from tests.commands import ROOT, TINY
from tracking.query import find_runs
from tracking.store import artifact_folder, open_store


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, cache_dir: Path):
    root = tmp_path_factory.mktemp("fidelity") / "mlruns"
    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={root}", "search.workers=2"]
    found = load_settings(ROOT / "conf.toml", "cpu", changes)
    search(found, 4, Console(file=io.StringIO(), width=200))
    return found


def test_trials_over_the_ranking_are_trained_longer_and_the_orders_compared(settings) -> None:
    out = io.StringIO()
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
    assert "fidelity   4 against 8 steps over 4 settings: Spearman " in out.getvalue()

    measure_fidelity(settings, 4, 8, Console(file=out, width=300))
    assert "of them 4 in the record; 0 steps to train" in out.getvalue()


def test_no_more_steps_than_a_trial_has_are_refused(settings) -> None:
    with pytest.raises(ValueError, match="--steps must be more than a trial has"):
        measure_fidelity(settings, 4, 4, Console(file=io.StringIO()))
