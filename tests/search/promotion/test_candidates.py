from math import isnan

import pytest

from search.promotion.candidates import choose_candidates, spread_over
from search.ranking import Row


def row(number: int, score: float | None, name: str = "", state: str = "COMPLETE") -> Row:
    metrics = {} if score is None else {"score": score}
    return Row(0, number, name, state, metrics, {"schedule": "cosine"}, f"run{number}")


RANKING = [
    row(5, 9.0),
    row(2, 8.0, "seed_new"),
    row(4, 7.0),
    row(6, 6.0),
    row(0, 5.0, "seed_old"),
    row(7, 4.0, state="PRUNED"),
    row(8, None),
]


def test_the_best_trials_and_every_baseline_are_confirmed_in_the_order_of_the_ranking() -> None:
    chosen = choose_candidates(RANKING, 2)
    assert [(one.trial, one.baseline) for one in chosen] == [(5, ""), (2, "seed_new"), (4, ""), (0, "seed_old")]
    assert [one.label for one in chosen][:2] == ["trial 5", "trial 2 seed_new"]


def test_pruned_trials_and_those_without_a_score_are_no_candidates() -> None:
    assert {one.trial for one in choose_candidates(RANKING, 10)} == {5, 2, 4, 6, 0}


def test_a_baseline_that_was_pruned_or_diverged_is_confirmed_all_the_same() -> None:
    rows = [row(5, 9.0), row(1, 3.0, "seed_new", "PRUNED"), row(0, None, "seed_old", "PRUNED")]
    chosen = choose_candidates(rows, 3)
    assert [one.trial for one in chosen] == [5, 1, 0]
    assert [isnan(one.score) for one in chosen] == [False, True, True]


@pytest.mark.parametrize("rows", [[row(0, 5.0, "seed_old")], [row(8, None)], [row(3, 2.0, state="PRUNED")]])
def test_without_a_trial_of_its_own_there_is_nothing_to_promote(rows: list[Row]) -> None:
    with pytest.raises(
        ValueError, match=r"no trial of its own .* go on with python -m search\.run --trials N and the same settings$"
    ):
        choose_candidates(rows, 3)


def test_without_a_baseline_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(
        ValueError, match=r"no finished baseline; go on with .* or where its settings have none begin another"
    ):
        choose_candidates([row(5, 9.0)], 3)


def test_spread_has_both_ends_of_the_ranking() -> None:
    rows = [row(number, 100.0 - number) for number in range(50)]
    assert [one.trial for one in spread_over(rows, 8)] == [0, 7, 14, 21, 28, 35, 42, 49]
    assert [one.trial for one in spread_over(rows, 1)] == [0]


def test_spread_over_more_than_there_are_is_refused() -> None:
    with pytest.raises(ValueError, match="it is 8 and there are 5"):
        spread_over(RANKING, 8)
