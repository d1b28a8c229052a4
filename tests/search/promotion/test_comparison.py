import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from search.promotion.comparison import compare, student_interval, summarise
from search.promotion.repeats import Repeat

MakeRepeat = Callable[..., Repeat]


def test_a_summary_has_means_and_the_deviation_between_seeds(repeat: MakeRepeat) -> None:
    summary = summarise([repeat(1, 2, 100, 22.0, lpips=0.2), repeat(1, 1, 100, 20.0, lpips=0.4)])
    assert summary.scores == (50.0, 52.5)  # by seed: 50 * 20 / 40 + 25, 50 * 22 / 40 + 25
    assert (summary.mean, summary.psnr, summary.ssim) == (51.25, 21.0, 0.5)
    assert summary.lpips == pytest.approx(0.3)
    assert summary.deviation == pytest.approx(2.5 / math.sqrt(2))


def test_lpips_is_there_only_where_every_seed_has_it(repeat: MakeRepeat) -> None:
    assert summarise([repeat(1, 1, 100, 20.0, lpips=0.4), repeat(1, 2, 100, 20.0)]).lpips is None


def test_students_interval_is_that_of_the_library_of_statistics() -> None:
    values = [1.0, 2.0, 4.0]
    expected = stats.t.interval(0.95, 2, loc=np.mean(values), scale=stats.sem(values))
    assert student_interval(values) == pytest.approx(expected)
    # By hand: mean 7/3, deviation 1.5275, t of 2 degrees 4.3027.
    assert student_interval(values)[1] == pytest.approx(7 / 3 + 4.3027 * 1.5275 / math.sqrt(3), abs=1e-3)


def test_pairing_removes_what_a_seed_does_to_both(repeat: MakeRepeat) -> None:
    ones = [repeat(1, seed, 100, 20.0 + seed) for seed in (1, 2, 3)]
    others = [repeat(2, seed, 100, 19.0 + seed) for seed in (3, 2, 1)]
    difference = compare(ones, others, resamples=100)
    assert difference.mean == pytest.approx(1.25)  # 1 dB is 50 / 40 of score
    assert difference.psnr_db == pytest.approx(1.0)
    assert difference.seed_interval == pytest.approx((1.25, 1.25))
    assert difference.clip_interval == pytest.approx((1.25, 1.25))
    assert difference.is_gain


def test_a_difference_within_the_seeds_noise_is_no_gain(repeat: MakeRepeat) -> None:
    ones = [repeat(1, seed, 100, psnr) for seed, psnr in ((1, 20.0), (2, 21.0), (3, 22.0))]
    others = [repeat(2, seed, 100, psnr) for seed, psnr in ((1, 20.5), (2, 20.0), (3, 21.0))]
    difference = compare(ones, others, resamples=100)
    assert difference.mean > 0
    assert difference.seed_interval[0] < 0 < difference.seed_interval[1]
    assert not difference.is_gain


def test_a_gain_on_some_clips_alone_is_no_gain(repeat: MakeRepeat) -> None:
    def with_clips(made: Repeat, psnrs: tuple[float, ...]) -> Repeat:
        return Repeat(**{**vars(made), "clips": tuple((psnr, 0.5) for psnr in psnrs)})

    ones = [with_clips(repeat(1, seed, 100, 21.0), (29.0, 17.0, 17.0)) for seed in (1, 2)]
    others = [with_clips(repeat(2, seed, 100, 20.0), (20.0, 20.0, 20.0)) for seed in (1, 2)]
    difference = compare(ones, others, resamples=500)
    assert difference.mean == pytest.approx(statistics.fmean([9.0, -3.0, -3.0]) * 50 / 40)
    assert difference.clip_interval[0] < 0
    assert not difference.is_gain
