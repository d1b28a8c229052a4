import math

import pytest

from search.promotion.comparison import student_interval
from search.promotion.estimate import Estimate, extrapolate


def test_each_factor_of_ten_brings_half_of_the_one_before(repeat) -> None:
    short = [repeat(1, seed, 1000, 20.0) for seed in (1, 2)]
    long = [repeat(1, seed, 10_000, 22.0) for seed in (1, 2)]
    estimate = extrapolate(short, long, "val/psnr", 100_000)
    # 2 dB a decade; one decade further the integral of 2 * 2^-d from 0 to 1.
    assert estimate.value == pytest.approx(22 + 2 * 0.5 / math.log(2))
    assert (estimate.low, estimate.high) == pytest.approx((22.0, 24.0))


def test_no_further_steps_change_nothing(repeat) -> None:
    short = [repeat(1, seed, 1000, 20.0) for seed in (1, 2)]
    long = [repeat(1, seed, 5000, 22.0) for seed in (1, 2)]
    assert extrapolate(short, long, "val/psnr", 5000).value == 22.0


def test_a_loss_between_the_lengths_is_not_extrapolated(repeat) -> None:
    short = [repeat(1, seed, 1000, 22.0) for seed in (1, 2)]
    long = [repeat(1, seed, 5000, 20.0) for seed in (1, 2)]
    estimate = extrapolate(short, long, "val/psnr", 100_000)
    assert (estimate.value, estimate.low, estimate.high) == (20.0, 20.0, 20.0)


def test_the_bounds_hold_the_noise_between_seeds(repeat) -> None:
    short = [repeat(1, seed, 1000, 20.0) for seed in (1, 2, 3)]
    long = [repeat(1, seed, 10_000, psnr) for seed, psnr in ((1, 21.8), (2, 22.0), (3, 22.2))]
    estimate = extrapolate(short, long, "val/psnr", 100_000)
    low, high = student_interval([21.8, 22.0, 22.2])
    assert (estimate.low, estimate.high) == pytest.approx((low, high + 2.0))


@pytest.mark.parametrize(("came", "word"), [(1.0, "below"), (2.5, "within"), (4.0, "above")])
def test_what_came_is_held_against_it(came: float, word: str) -> None:
    assert Estimate(10, 2.0, 1.5, 3.0).says(came) == f"{word} the estimate of 2 (1.5 to 3)"
