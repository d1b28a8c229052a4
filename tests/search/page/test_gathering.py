import shlex
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState

from search.opening import OpenStudy
from search.page.evidence import Counts, PageEvidence
from search.page.gathering import choose, installed, picture_columns
from search.ranking import rank
from search.results import write_ranking
from search.settings import Settings, load_settings
from tests.search.recorded_trials import STEPS, add_recorded, add_repeat, evidence_of
from tracking.query import children
from tracking.store import artifact_folder


def test_every_trial_is_counted_by_its_state(evidence: PageEvidence) -> None:
    assert evidence.counts == Counts(complete=5, pruned=1, failed=1, interrupted=0, open=3, asked=50)
    assert evidence.failures == {9: "its worker exited with code 1"}


def test_curves_are_optunas_and_verdicts_the_runs(evidence: PageEvidence) -> None:
    assert evidence.curves[5] == [(2, 18.0), (4, 36.0)]
    assert evidence.curves[0] == []
    assert evidence.verdicts == dict.fromkeys(range(3, 9), "ok")
    assert evidence.frequent[5] == ("score.below_trivial",)


def test_best_median_worst_and_the_baselines_are_shown(evidence: PageEvidence) -> None:
    parts = {each.label: each.row.number for each in evidence.shown}
    assert parts == {"best": 5, "median": 4, "worst": 7, "seed_new": 4, "seed_old": 3}
    assert evidence.clip_psnr[5] == {"a": 13.0, "b": 23.0}
    assert evidence.clip_psnr[7] == {}
    assert evidence.shares[5]["share/encoder"] == [(2, 0.2), (4, 0.2)]
    assert set(evidence.shares) == {4, 5, 7}


def test_one_trial_has_one_part(opened: OpenStudy, settings: Settings) -> None:
    assert choose([]) == ()
    add_recorded(opened, settings, 30.0)
    add_recorded(opened, settings, 40.0, TrialState.PRUNED)
    assert [each.label for each in choose(rank(opened.study))] == ["best"]


def test_pictures_stand_side_by_side_by_step(evidence: PageEvidence, opened: OpenStudy) -> None:
    labels = [column.label for column in evidence.pictures]
    assert [column.part for column in evidence.pictures] == ["input", "", "", "best"]
    assert labels == [
        "input",
        "reference",
        "the user's old settings (trial 3)",
        "best (trial 5)",
    ]  # trial 4 has no pictures
    assert [sorted(column.steps) for column in evidence.pictures] == [[0], [0], list(STEPS), list(STEPS)]
    inputs, nothing = evidence.pictures[0].steps[0]
    assert nothing is None
    first = opened.prepared.bank.validation[0, 0].permute(1, 2, 0).numpy()
    assert np.array_equal(inputs[: first.shape[0]], first)
    darker = evidence.pictures[3].steps[4][0]
    assert np.abs(darker[: first.shape[0]] - first * 0.6).max() <= 1


def test_without_pictures_in_the_settings_there_is_no_grid(
    opened: OpenStudy, evidence: PageEvidence, tiny: Callable[..., Settings]
) -> None:
    assert picture_columns(opened, tiny("evaluation.pictures=0"), evidence.shown, {}) == ()


def test_finished_confirmations_of_a_trials_length_tell_the_noise(opened: OpenStudy, settings: Settings) -> None:
    number = add_recorded(opened, settings, 30.0)
    add_repeat(opened, number, 1, 4, 28.0)
    add_repeat(opened, number, 2, 4, 32.0)
    add_repeat(opened, number, 3, 4, 2.0, "FAILED")
    add_repeat(opened, number, 1, 8, 60.0)
    assert evidence_of(opened, settings).repeats == {number: (14.0, 16.0)}


def test_longer_trainings_of_four_settings_are_compared_with_their_trials(
    opened: OpenStudy, settings: Settings
) -> None:
    for score in (30.0, 31.0, 32.0, 33.0):
        add_repeat(opened, add_recorded(opened, settings, score), 0, 8, 2 * score)
    (agreement,) = evidence_of(opened, settings).fidelity
    assert (agreement.short_steps, agreement.long_steps, len(agreement.points)) == (4, 8, 4)
    assert (agreement.spearman, agreement.regret) == (1.0, 0.0)


def test_where_it_comes_from_and_how_to_make_it_again(
    opened: OpenStudy, settings: Settings, tiny: Callable[..., Settings]
) -> None:
    add_recorded(opened, settings, 30.0, baseline="seed_old")
    folder = artifact_folder(opened.prepared.store, opened.parent.id)
    write_ranking(opened, settings, rank(opened.study))
    now = tiny("search.startup_trials=3")
    evidence = evidence_of(opened, now)
    lines = dict(evidence.provenance)
    assert lines["study"] == opened.study.study_name
    assert opened.prepared.bank.digest in lines["data"]
    assert lines["LPIPS"] == "not available"
    study, best, page = (shlex.split(command) for _, command in evidence.commands)
    assert study[:5] == ["python", "-m", "search.run", "--trials", "50"]
    assert page[:3] == ["python", "-m", "search.report"]
    # What was changed since the study began is in the command; its file alone would be another work.
    for words in (study[5:], page[3:]):
        option, file, set_, change = words
        assert (option, Path(file), set_) == ("--config", folder / "conf.toml", "--set")
        assert load_settings(Path(file), "cpu", [change]) == now
    assert best[:4] == ["python", "-m", "search.train", "--config"]
    assert load_settings(Path(best[4]), "cpu", []).optimizer.learning_rate == 1e-4


def test_without_a_best_trial_there_is_no_command_to_train_it(opened: OpenStudy, settings: Settings) -> None:
    add_recorded(opened, settings, 30.0, TrialState.PRUNED)
    assert [what for what, _ in evidence_of(opened, settings).commands] == ["the study", "this page"]


def test_mlflow_is_known_whole_or_as_its_smaller_package() -> None:
    assert installed({"torch": "2.0", "mlflow": "not installed", "mlflow-skinny": "3.1"}) == [
        "torch 2.0",
        "mlflow-skinny 3.1",
    ]
    assert installed({"mlflow": "3.1", "mlflow-skinny": "3.1"}) == ["mlflow 3.1", "mlflow-skinny 3.1"]


def test_a_trial_whose_run_is_not_in_the_record_is_shown_without_its_details(
    opened: OpenStudy, settings: Settings, add_trial: Callable[..., int]
) -> None:
    add_trial(opened.study, 30.0, TrialState.COMPLETE, run_id="nowhere")
    found = evidence_of(opened, settings)
    assert [each.label for each in found.shown] == ["best"]
    assert (found.verdicts, found.clip_psnr, found.shares, found.frequent) == ({}, {}, {}, {})


def test_a_damaged_artifact_is_an_error(opened: OpenStudy, settings: Settings) -> None:
    number = add_recorded(opened, settings, 30.0)
    (run,) = (
        row for row in children(opened.prepared.store, opened.parent.id) if row.tags["trial_number"] == str(number)
    )
    (opened.prepared.store.root / "artifacts" / run.id / "artifacts" / "evaluation.json").write_text("{")
    with pytest.raises(ValueError, match="must be JSON"):
        evidence_of(opened, settings)
