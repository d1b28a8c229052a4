import math

import numpy as np
import pytest

from search.page.fidelity import FidelityPoints, correlations, kendall, ranked, regret, scatter, section, spearman


def points(short: tuple[float, ...], long: tuple[float, ...]) -> FidelityPoints:
    return FidelityPoints(tuple("abcdef"[: len(short)]), short, long, 1000, 10000)


def test_the_coefficients_are_those_of_a_hand() -> None:
    one, other = np.array([1.0, 2.0, 3.0]), np.array([1.0, 3.0, 2.0])
    assert spearman(one, other) == pytest.approx(1 - 6 * 2 / (3 * 8))
    assert kendall(one, other) == pytest.approx((2 - 1) / 3)
    assert spearman(one, one) == pytest.approx(1)
    assert kendall(one, -one) == pytest.approx(-1)


def test_equal_values_share_their_rank() -> None:
    assert ranked(np.array([5.0, 1.0, 5.0])).tolist() == [1.5, 0.0, 1.5]


def test_a_constant_side_has_no_correlation() -> None:
    flat, rising = np.zeros(3), np.arange(3.0)
    assert math.isnan(spearman(flat, rising))
    assert math.isnan(kendall(flat, rising))


def test_the_interval_holds_the_coefficient() -> None:
    found = correlations(points((1, 2, 3, 4, 5, 6), (1, 3, 2, 4, 6, 5)))
    for value, low, high in found.values():
        assert -1 <= low <= value <= high <= 1
        assert low < high


def test_regret_is_what_the_short_trainings_choice_costs() -> None:
    assert regret(points((1, 3, 2), (10, 12, 15))) == 3
    assert regret(points((1, 3, 2), (10, 15, 12))) == 0


def test_nothing_compared_is_said() -> None:
    assert "Not measured" in section(None)
    assert "Not measured" in section(points((1.0,), (2.0,)))


def test_few_points_come_with_a_warning() -> None:
    text = section(points((1, 2, 3), (10, 12, 15)))
    assert "Spearman +1.00" in text
    assert "costs 0.00 in score" in text
    assert "no rank correlation to rely on" in text
    assert "no rank correlation to rely on" not in section(points((1, 2, 3, 4), (10, 12, 15, 16)))


def test_each_setting_is_a_point() -> None:
    (trace,) = scatter(points((1, 2), (3, 4))).data
    assert (list(trace.x), list(trace.y), list(trace.text)) == ([1, 2], [3, 4], ["a", "b"])
