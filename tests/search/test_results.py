"""What a study came to, read from both records and written to its run."""

from collections.abc import Callable

from optuna.trial import TrialState

from search.opening import OpenStudy
from search.promotion.comparison import Difference
from search.promotion.gate_record import PROMOTION, GateRecord
from search.results import read_results, write_results
from search.settings import Settings
from tests.search.recorded_trials import add_recorded, add_repeat
from tracking.store import artifact_folder

LEAD = Difference(mean=1.0, seed_interval=(0.5, 1.5), clip_interval=(0.6, 1.4), psnr_db=0.8)


def test_an_empty_study_has_empty_results(opened: OpenStudy, tiny: Callable[..., Settings]) -> None:
    results = read_results(opened, tiny())
    assert (results.rows, results.repeats, results.gate) == ([], [], None)


def test_confirmations_and_the_gate_are_read_and_told(opened: OpenStudy, tiny: Callable[..., Settings]) -> None:
    settings = tiny()
    number = add_recorded(opened, settings, 30.0)
    add_recorded(opened, settings, 40.0, TrialState.PRUNED)
    for seed in (1, 2):
        add_repeat(opened, number, seed, settings.training.steps, 28.0 + seed)
    gate = GateRecord(number, "trial 0 seed_old", LEAD, (), False, {})
    opened.parent.json(PROMOTION, gate.to_json())
    results = read_results(opened, settings)
    assert [row.number for row in results.rows] == [number, number + 1]
    assert [repeat.metrics["score"] for repeat in results.repeats] == [29.0, 30.0]
    assert results.gate == gate

    write_results(opened, settings, results)
    folder = artifact_folder(opened.prepared.store, opened.parent.id)
    report = (folder / "report.html").read_text()
    assert f"Promotion: trial {number}, confirmed +1.00 in score" in report
    assert {"report.html", "ranking.csv", "best.toml", "diagnosis.md"} <= {path.name for path in folder.iterdir()}


def test_without_a_complete_trial_there_is_no_best(opened: OpenStudy, tiny: Callable[..., Settings]) -> None:
    add_recorded(opened, tiny(), 40.0, TrialState.PRUNED)
    write_results(opened, tiny(), read_results(opened, tiny()))
    assert not (artifact_folder(opened.prepared.store, opened.parent.id) / "best.toml").exists()
