import math
import statistics
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from search.promotion.comparison import Difference, compare, pair, student_interval, summarise
from search.promotion.repeats import Repeat

MakeRepeat = Callable[..., Repeat]


def difference_of(ones: list[Repeat], others: list[Repeat], resamples: int, **sources: str) -> Difference:
    return compare(pair(ones, others, sources), resamples)


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
    difference = difference_of(ones, others, 100)
    assert difference.mean == pytest.approx(1.25)  # 1 dB is 50 / 40 of score
    assert difference.psnr_db == pytest.approx(1.0)
    assert difference.seed_interval == pytest.approx((1.25, 1.25))
    assert difference.clip_interval == pytest.approx((1.25, 1.25))
    assert difference.is_gain


def test_a_difference_within_the_seeds_noise_is_no_gain(repeat: MakeRepeat) -> None:
    ones = [repeat(1, seed, 100, psnr) for seed, psnr in ((1, 20.0), (2, 21.0), (3, 22.0))]
    others = [repeat(2, seed, 100, psnr) for seed, psnr in ((1, 20.5), (2, 20.0), (3, 21.0))]
    difference = difference_of(ones, others, 100)
    assert difference.mean > 0
    assert difference.seed_interval[0] < 0 < difference.seed_interval[1]
    assert not difference.is_gain


def test_a_gain_on_some_clips_alone_is_no_gain(repeat: MakeRepeat) -> None:
    def with_clips(made: Repeat, psnrs: tuple[float, ...]) -> Repeat:
        return Repeat(**{**vars(made), "clips": {f"film{place}": (psnr, 0.5) for place, psnr in enumerate(psnrs)}})

    ones = [with_clips(repeat(1, seed, 100, 21.0), (29.0, 17.0, 17.0)) for seed in (1, 2)]
    others = [with_clips(repeat(2, seed, 100, 20.0), (20.0, 20.0, 20.0)) for seed in (1, 2)]
    difference = difference_of(ones, others, 500)
    assert difference.mean == pytest.approx(statistics.fmean([9.0, -3.0, -3.0]) * 50 / 40)
    assert difference.clip_interval[0] < 0
    assert not difference.is_gain


def test_clips_are_paired_by_their_names_in_whatever_order(repeat: MakeRepeat) -> None:
    ones = [repeat(1, seed, 100, 20.0 + seed) for seed in (1, 2)]
    others = [repeat(2, seed, 100, 19.0 + seed) for seed in (1, 2)]
    turned = [Repeat(**{**vars(other), "clips": dict(reversed(other.clips.items()))}) for other in others]
    assert difference_of(ones, turned, 100) == difference_of(ones, others, 100)


def test_repeats_of_other_clips_are_not_compared(repeat: MakeRepeat) -> None:
    ones = [repeat(1, seed, 100, 20.0) for seed in (1, 2)]
    others = [repeat(2, 1, 100, 19.0), Repeat(**{**vars(repeat(2, 2, 100, 19.0)), "clips": {"a": (1.0, 0.5)}})]
    with pytest.raises(ValueError, match="must be scored on the same clips, but those of run run-2-2-100 "):
        pair(ones, others, {})


def test_clips_of_one_source_share_their_luck(repeat: MakeRepeat) -> None:
    # Of two sources one is better by 4 dB and one worse by 2; each has eight clips, which alone would look like 16 proofs.
    def with_clips(made: Repeat, better: float, worse: float) -> Repeat:
        clips = {f"good #{n}": (20 + better, 0.5) for n in range(8)} | {
            f"bad #{n}": (20 + worse, 0.5) for n in range(8)
        }
        return Repeat(**{**vars(made), "clips": clips})

    ones = [with_clips(repeat(1, seed, 100, 21.0), 4.0, -2.0) for seed in (1, 2)]
    others = [with_clips(repeat(2, seed, 100, 20.0), 0.0, 0.0) for seed in (1, 2)]
    alone = difference_of(ones, others, 500)
    sources = {name: name.split()[0] for name in ones[0].clips}
    together = compare(pair(ones, others, sources), 500)
    assert (alone.sources, together.sources) == (16, 2)
    assert together.mean == alone.mean == pytest.approx(1.25)
    assert together.clip_interval == pytest.approx((-2.5, 5.0))  # one source drawn twice, or the other
    assert together.clip_interval[0] < alone.clip_interval[0]


def test_a_surer_level_is_wider(repeat: MakeRepeat) -> None:
    ones = [repeat(1, seed, 100, psnr) for seed, psnr in ((1, 20.0), (2, 21.0), (3, 22.5))]
    others = [repeat(2, seed, 100, 20.0) for seed in (1, 2, 3)]
    usual, surer = (compare(pair(ones, others, {}), 200, confidence) for confidence in (0.95, 1 - 0.05 / 3))
    assert surer.seed_interval[0] < usual.seed_interval[0] < usual.seed_interval[1] < surer.seed_interval[1]
    assert surer.in_words().startswith("98.3 %: ")


def test_the_chance_is_that_of_students_test(repeat: MakeRepeat) -> None:
    gains = [1.0, 2.0, 4.0]
    ones = [repeat(1, seed, 100, 20.0 + gain) for seed, gain in enumerate(gains)]
    others = [repeat(2, seed, 100, 20.0) for seed in range(3)]
    expected = stats.ttest_1samp(gains, 0).pvalue
    assert pair(ones, others, {}).chance(100) == pytest.approx(expected)
    assert pair(others, ones, {}).chance(100) == 1.0
