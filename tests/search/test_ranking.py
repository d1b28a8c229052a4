import csv
import io
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState, create_trial
from rich.console import Console

from search.ranking import best_row, best_score, rank, to_csv, to_table, verdict, without_model
from search.space import distributions
from search.study import BASELINE, METRICS, RUN_ID


@pytest.fixture
def study(tiny) -> optuna.Study:
    space = distributions(tiny().search.space, perceptual=True)
    study = optuna.create_study(direction="maximize")

    def add(state: TrialState, score: float | None, baseline: str = "", without: str = "") -> None:
        kinds = {name: kind for name, kind in space.items() if name != without}
        params = {name: 0.1 for name in kinds} | {"schedule": "cosine", "learning_rate": 1e-4}
        metrics = {} if score is None else {"score": score, "val/psnr": score / 2, "val/ssim": 0.5}
        attributes = {METRICS: metrics, RUN_ID: f"run{len(study.trials)}"} | ({BASELINE: baseline} if baseline else {})
        value = score if state == TrialState.COMPLETE else None
        study.add_trial(
            create_trial(state=state, value=value, params=params, distributions=kinds, user_attrs=attributes)
        )

    add(TrialState.COMPLETE, 20.0, baseline="seed_old")
    add(TrialState.PRUNED, 50.0)
    add(TrialState.COMPLETE, 40.0)
    add(TrialState.PRUNED, None)
    add(TrialState.COMPLETE, 30.0, baseline="seraena_author", without="perceptual")
    add(TrialState.FAIL, None)
    return study


def test_complete_trials_come_before_pruned_ones_and_failed_ones_not_at_all(study) -> None:
    assert [row.number for row in rank(study)] == [2, 4, 0, 1, 3]
    assert [row.place for row in rank(study)] == [1, 2, 3, 4, 5]


def test_a_value_that_is_no_number_has_no_place(study) -> None:
    trial = study.trials[1]
    metrics = {"score": float("nan"), "val/psnr": float("inf"), "val/ssim": 0.5}
    study.add_trial(
        create_trial(
            state=TrialState.PRUNED,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={METRICS: metrics, RUN_ID: "run6"},
        )
    )
    assert [row.number for row in rank(study)] == [2, 4, 0, 1, 3, 6]
    assert rank(study)[-1].metrics == {"val/ssim": 0.5}


def test_a_weight_that_a_trial_did_not_have_is_zero(study) -> None:
    assert rank(study)[1].parameters["perceptual"] == 0.0


def test_the_file_reads_back(study) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(rank(study)))))
    assert [row["trial"] for row in rows] == ["2", "4", "0", "1", "3"]
    assert (rows[0]["score"], rows[0]["val/psnr"], rows[0]["run_id"]) == ("40.0", "20.0", "run2")
    assert rows[2]["baseline"] == "seed_old"
    assert rows[4]["score"] == ""
    assert list(rows[0])[4:10] == ["score", "val/psnr", "val/ssim", "val/lpips", "val/flicker", "val/overall"]


def test_the_table_shows_every_baseline_even_below_the_best(study) -> None:
    console = Console(file=io.StringIO(), width=200)
    console.print(to_table(rank(study), {}, most=1))
    text = console.file.getvalue()
    assert "seed_old" in text
    assert "seraena_author" in text
    assert "pruned" not in text


def test_the_verdict_says_the_gain_over_the_baselines(study) -> None:
    assert verdict(rank(study), {}) == (
        "best: trial 2 with 20.00 dB; "
        "+5.00 dB against the Seraena author's settings, +10.00 dB against the user's old settings"
    )


def test_nothing_finished_is_said_so(tmp_path: Path) -> None:
    assert rank(optuna.create_study()) == []
    assert verdict([], {}) == "no trial has a score yet"


def test_the_best_score_has_its_trial_and_without_a_score_there_is_none(study) -> None:
    first = rank(study)[0]
    assert best_score(rank(study)) == (first.metrics["score"], 2)
    assert best_score([]) is None


def test_a_pruned_trial_is_never_the_best(study) -> None:
    pruned = [row for row in rank(study) if row.state == "PRUNED"]
    assert best_row(rank(study)) == rank(study)[0]
    assert (best_row(pruned), best_score(pruned)) == (None, None)
    assert verdict(pruned, {}) == "no complete trial has a score yet"


def test_what_needs_no_model_is_one_or_several() -> None:
    assert without_model(["average 8x8"]) == "average 8x8, which needs no model"
    assert without_model(["black", "grey"]) == "black and grey, which need no model"
