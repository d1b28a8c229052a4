import numpy as np
import pytest

from search.promotion.agreement import Point, agree


def points(*pairs: tuple[float, float]) -> list[Point]:
    return [Point(f"trial {number}", short, long) for number, (short, long) in enumerate(pairs)]


def test_the_same_order_agrees_wholly_and_loses_nothing() -> None:
    agreement = agree(points((1, 10), (2, 20), (3, 30), (4, 31)), 1000, 5000)
    assert agreement is not None
    assert agreement.spearman == agreement.kendall == 1.0
    assert agreement.spearman_interval == (1.0, 1.0)
    assert agreement.regret == 0.0


def test_by_hand_with_one_pair_exchanged() -> None:
    # Ranks 1 2 3 4 and 1 2 4 3: Spearman 1 - 6 * 2 / (4 * 15) = 0.8, Kendall (5 - 1) / 6.
    # The top pick ends at 30, the best at 31.
    agreement = agree(points((1, 10), (2, 20), (3, 31), (4, 30)), 1000, 5000)
    assert agreement is not None
    assert agreement.spearman == pytest.approx(0.8)
    assert agreement.kendall == pytest.approx(4 / 6)
    assert agreement.regret == 1.0
    assert agreement.spearman_interval[0] < 0.8 <= agreement.spearman_interval[1]
    assert "1000 against 5000 steps over 4 settings: Spearman 0.80" in agreement.in_words()
    assert agreement.to_json()["points"][0] == {"label": "trial 0", "short": 1, "long": 10}


def test_no_order_no_agreement() -> None:
    generator = np.random.default_rng(0)
    agreement = agree(points(*zip(range(200), generator.permutation(200).tolist(), strict=True)), 1000, 5000)
    assert agreement is not None
    assert abs(agreement.spearman) < 0.2
    low, high = agreement.spearman_interval
    assert low < 0 < high or abs(agreement.spearman) > 0.14  # 2 standard errors of 200 points


@pytest.mark.parametrize("pairs", [[(1, 2), (2, 3), (3, 4)], [(1, 2)] * 5, []])
def test_too_few_or_equal_settings_have_none(pairs: list[tuple[float, float]]) -> None:
    assert agree(points(*pairs), 1000, 5000) is None


def test_the_same_points_have_the_same_interval() -> None:
    some = points((1, 3), (2, 2), (3, 5), (4, 4), (5, 9))
    assert agree(some, 1, 2) == agree(some, 1, 2)
