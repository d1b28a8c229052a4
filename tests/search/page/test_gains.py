import math

import pytest

from search.page.gains import exceeds, gain, seed_noise


def test_a_gain_is_compared_clip_by_clip() -> None:
    # Every clip gains exactly 1 dB, however different the clips are: the interval has no width.
    best, other = {"a": 11.0, "b": 31.0, "c": 21.0}, {"a": 10.0, "b": 30.0, "c": 20.0}
    found = gain(21.0, 20.0, best, other)
    assert found.decibels == 1.0
    assert found.interval == (1.0, 1.0)


def test_the_interval_holds_the_gain_and_0_where_clips_disagree() -> None:
    found = gain(15.5, 15.0, {"a": 10.0, "b": 21.0}, {"a": 12.0, "b": 18.0})
    # Means of two draws out of -2 and 3: -2, 0.5 or 3, each end in a quarter of the cases.
    assert found.interval == (-2.0, 3.0)


@pytest.mark.parametrize("other", [{}, {"a": 1.0}, {"a": 1.0, "c": 2.0}])
def test_other_clips_give_no_interval(other: dict[str, float]) -> None:
    assert gain(3.0, 1.0, {"a": 3.0, "b": 3.0}, other).interval is None


def test_the_noise_is_that_of_a_difference_of_two_trainings() -> None:
    # Variances 2 (of 20 and 22) and 0: their mean is 1, and a difference has twice that.
    assert seed_noise({1: (20.0, 22.0), 2: (30.0, 30.0), 3: (5.0,)}) == pytest.approx(math.sqrt(2))


def test_without_repeats_the_noise_is_unknown() -> None:
    assert seed_noise({}) is None
    assert seed_noise({1: (20.0,)}) is None


def test_more_than_two_deviations_are_more_than_luck() -> None:
    assert exceeds(0.21, 0.1)
    assert not exceeds(0.2, 0.1)
    assert not exceeds(-1.0, 0.1)
