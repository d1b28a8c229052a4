import numpy as np
import pytest

from search.promotion.agreement import Point, agree, kendall_bounds, spearman_bounds


def points(*pairs: tuple[float, float]) -> list[Point]:
    return [Point(f"trial {number}", short, long) for number, (short, long) in enumerate(pairs)]


def test_the_same_order_agrees_wholly_and_loses_nothing() -> None:
    agreement = agree(points(*zip(range(8), range(10, 18), strict=True)), 1000, 5000)
    assert agreement is not None
    assert (agreement.spearman, agreement.kendall) == (pytest.approx(1.0), pytest.approx(1.0))
    assert agreement.regret == 0.0
    # Each draw of settings in a perfect order has a perfect order; eight of them prove none. By hand: rho is taken as
    # 1 - 6/504, atanh 2.5613, error sqrt((1 + 0.98810²/2) / 5) = 0.5456; tau as 1 - 2/56, atanh 2.0037, error 0.3305.
    assert agreement.spearman_interval == pytest.approx((0.9036, 1.0), abs=1e-3)
    assert agreement.kendall_interval == pytest.approx((0.8756, 1.0), abs=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_turned_order_is_as_unsure(sign: int) -> None:
    agreement = agree(points(*[(n, sign * n) for n in range(6)]), 1000, 5000)
    assert agreement is not None
    low, high = sorted(sign * bound for bound in agreement.spearman_interval)
    assert low == pytest.approx(0.6317, abs=1e-3)  # atanh(1 - 6/210) = 2.1171, error 0.7004
    assert high == pytest.approx(1.0)


def test_fewer_than_six_settings_say_that_it_cannot_be_told() -> None:
    agreement = agree(points((1, 10), (2, 20), (3, 30), (4, 31), (5, 32)), 1000, 5000)
    assert agreement is not None
    assert (agreement.spearman_interval, agreement.kendall_interval) == (None, None)
    assert agreement.in_words().endswith("how sure that is cannot be told from fewer than 6 settings")
    assert "95 %" not in agreement.in_words()


def test_the_bounds_are_those_of_the_literature() -> None:
    # Fisher's z of 0.5 is 0.5493. Spearman: sqrt((1 + 0.125) / 17) = 0.25725; Kendall: sqrt(0.437 / 16) = 0.16526.
    assert spearman_bounds(0.5, 20) == pytest.approx((0.0449, 0.7825), abs=2e-3)
    assert kendall_bounds(0.5, 20) == pytest.approx((0.2216, 0.7038), abs=2e-3)


def test_by_hand_with_one_pair_exchanged() -> None:
    # Ranks 1 2 3 4 and 1 2 4 3: Spearman 1 - 6 * 2 / (4 * 15) = 0.8, Kendall (5 - 1) / 6.
    # The top pick ends at 30, the best at 31.
    agreement = agree(points((1, 10), (2, 20), (3, 31), (4, 30)), 1000, 5000)
    assert agreement is not None
    assert agreement.spearman == pytest.approx(0.8)
    assert agreement.kendall == pytest.approx(4 / 6)
    assert agreement.regret == 1.0
    assert "1000 against 5000 steps over 4 settings: Spearman 0.80" in agreement.in_words()
    assert agreement.to_json()["points"][0] == {"label": "trial 0", "short": 1, "long": 10}


def test_no_order_no_agreement() -> None:
    generator = np.random.default_rng(0)
    agreement = agree(points(*zip(range(200), generator.permutation(200).tolist(), strict=True)), 1000, 5000)
    assert agreement is not None
    assert abs(agreement.spearman) < 0.2
    assert agreement.spearman_interval is not None
    low, high = agreement.spearman_interval
    assert low < 0 < high or abs(agreement.spearman) > 0.14  # 2 standard errors of 200 points


@pytest.mark.parametrize("pairs", [[(1, 2), (2, 3), (3, 4)], [(1, 2)] * 5, []])
def test_too_few_or_equal_settings_have_none(pairs: list[tuple[float, float]]) -> None:
    assert agree(points(*pairs), 1000, 5000) is None


def test_the_same_points_have_the_same_interval() -> None:
    some = points((1, 3), (2, 2), (3, 5), (4, 4), (5, 9), (6, 8))
    assert agree(some, 1, 2) == agree(some, 1, 2)
