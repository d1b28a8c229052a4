from dataclasses import replace

import pytest

from model.evaluation.scores import Scores
from search.promotion.gate import reasons_against
from search.promotion.leads import leads_of


@pytest.fixture
def yardsticks(prepared_once) -> dict[str, Scores]:
    """A frame of one colour with 15 dB, a reference with 27 dB."""
    some = prepared_once.yardsticks["grey"]
    return {"mean_colour": replace(some, psnr=15.0), "reference": replace(some, psnr=27.0)}


def against(ranked: list, yardsticks: dict[str, Scores], gap_db: float = 3.0) -> list[str]:
    return reasons_against(ranked[0], leads_of(ranked, {}, 200)[ranked[0].candidate.trial], yardsticks, gap_db)


def test_it_is_open_for_a_winner_that_leads_by_more_than_the_noise(confirmed, yardsticks) -> None:
    ranked = [confirmed(5, [25.0, 25.1, 25.2]), confirmed(2, [23.0, 23.1, 23.1], "seraena_author")]
    assert against(ranked, yardsticks) == []


def test_it_is_closed_for_the_luckiest_seed(confirmed, yardsticks) -> None:
    ranked = [confirmed(5, [26.0, 23.0, 24.0]), confirmed(2, [24.0, 24.0, 23.9], "seraena_author")]
    (reason,) = against(ranked, yardsticks)
    assert "must beat the baselines by more than the noise" in reason
    assert "trial 2 seraena_author" in reason
    assert "--set promotion.seeds=N" in reason


def test_it_is_closed_for_an_error_in_a_diagnosis(confirmed, yardsticks) -> None:
    ranked = [confirmed(5, [25.0, 25.1, 25.2], verdict="error"), confirmed(2, [23.0, 23.1, 23.1], "seraena_author")]
    (reason,) = against(ranked, yardsticks)
    assert "the diagnosis of 3 of 6 has one" in reason
    assert "python -m tracking.diagnose run-5-1-5000" in reason


def test_it_is_closed_for_less_than_a_frame_of_one_colour(confirmed, yardsticks) -> None:
    ranked = [confirmed(5, [13.0, 13.1, 13.2]), confirmed(2, [10.0, 10.1, 10.1], "seraena_author")]
    reasons = against(ranked, yardsticks, gap_db=20.0)
    assert len(reasons) == 1
    assert "trial 5 has 14.10 dB after 5000 steps and is not better than mean colour (15.00 dB)" in reasons[0]


def test_it_is_closed_far_below_the_reference(confirmed, yardsticks) -> None:
    ranked = [confirmed(5, [22.0, 22.1, 22.2]), confirmed(2, [20.0, 20.1, 20.1], "seraena_author")]
    (reason,) = against(ranked, yardsticks)
    assert "within 3 dB of the reference (promotion.reference_gap_db)" in reason
    assert "23.10 dB after 5000 steps and the reference 27.00" in reason
    assert against(ranked, yardsticks, gap_db=4.0) == []


def test_it_is_closed_for_one_baseline_of_several_that_is_not_beaten(confirmed, yardsticks) -> None:
    ranked = [
        confirmed(5, [25.0, 25.1, 25.2]),
        confirmed(2, [23.0, 23.1, 23.2], "seed_new"),
        confirmed(0, [20.0, 26.0, 20.0], "seed_old"),
    ]
    (reason,) = against(ranked, yardsticks)
    assert "trial 5 leads trial 0 seed_old by " in reason


def test_baselines_that_diverged_count_as_beaten(confirmed, yardsticks) -> None:
    assert against([confirmed(5, [25.0, 25.1, 25.2])], yardsticks) == []
