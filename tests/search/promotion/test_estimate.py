import math

import pytest
from scipy import stats

from search.promotion.estimate import METRICS, Estimate, compare_with_came, extrapolate


def pairs(repeat, short_psnr: float, long_psnr: float, short_steps: int = 1000, long_steps: int = 10_000, **scores):
    return tuple(
        [repeat(1, seed, steps, psnr, **scores) for seed in (1, 2)]
        for steps, psnr in ((short_steps, short_psnr), (long_steps, long_psnr))
    )


def test_each_factor_of_ten_brings_half_of_the_one_before(repeat) -> None:
    # 2 dB over one factor of ten: the next brings 1 dB and the one after it 0.5.
    short, long = pairs(repeat, 20.0, 22.0)
    assert extrapolate(short, long, "val/psnr", 100_000).value == pytest.approx(23.0)
    assert extrapolate(short, long, "val/psnr", 1_000_000).value == pytest.approx(23.5)
    estimate = extrapolate(short, long, "val/psnr", 100_000)
    assert (estimate.low, estimate.high) == pytest.approx((22.0, 24.0))


def test_the_rule_is_one_curve_through_both_lengths(repeat) -> None:
    # a - b 2^-log10(steps) halves its gain per factor of ten, whatever the lengths that it is read at.
    def curve(steps: int) -> float:
        return 40 - 100 * 2 ** -math.log10(steps)

    short, long = pairs(repeat, curve(1000), curve(5000), 1000, 5000)
    assert extrapolate(short, long, "val/psnr", 100_000).value == pytest.approx(curve(100_000))


def test_no_further_steps_change_nothing(repeat) -> None:
    short, long = pairs(repeat, 20.0, 22.0, 1000, 5000)
    assert extrapolate(short, long, "val/psnr", 5000).value == 22.0


def test_a_loss_between_the_lengths_is_not_extrapolated(repeat) -> None:
    short, long = pairs(repeat, 22.0, 20.0, 1000, 5000)
    estimate = extrapolate(short, long, "val/psnr", 100_000)
    assert (estimate.value, estimate.low, estimate.high) == (20.0, 20.0, 20.0)


def test_the_interval_is_for_one_more_training_and_knows_the_noise_of_the_gain(repeat) -> None:
    before, after = (20.2, 20.0, 19.8), (21.8, 22.0, 22.2)
    short = [repeat(1, seed, 1000, psnr) for seed, psnr in enumerate(before)]
    long = [repeat(1, seed, 10_000, psnr) for seed, psnr in enumerate(after)]
    estimate = extrapolate(short, long, "val/psnr", 100_000)
    # The gains are 1.6, 2.0 and 2.4: by the rule the seeds end at 22.6, 23.0, 23.4, undiminished at 23.4, 24.0, 24.6.
    t = stats.t.ppf(0.975, 2)
    assert estimate.value == pytest.approx(23.0)
    assert estimate.high == pytest.approx(24.0 + t * 0.6 * math.sqrt(4 / 3))
    assert estimate.low == pytest.approx(min(22.0 - t * 0.2 * math.sqrt(4 / 3), 23.0 - t * 0.4 * math.sqrt(4 / 3)))


def test_no_estimate_leaves_the_bounds_of_its_metric(repeat) -> None:
    short = [repeat(1, seed, 1000, 30.0, ssim=0.90 - seed / 100, lpips=0.10 + seed / 100) for seed in (0, 1, 2)]
    long = [repeat(1, seed, 5000, 33.0, ssim=0.97 - seed / 100, lpips=0.03 + seed / 100) for seed in (0, 1, 2)]
    ssim, lpips = (extrapolate(short, long, metric, 100_000) for metric in ("val/ssim", "val/lpips"))
    assert 0.96 < ssim.value < ssim.high < 1
    assert ssim.low < ssim.value
    assert 0 < lpips.low < lpips.value < 0.04
    assert lpips.value < lpips.high


def test_noise_beyond_all_bounds_ends_at_them(repeat) -> None:
    short = [repeat(1, seed, 1000, psnr, ssim=ssim) for seed, psnr, ssim in ((1, 2.0, 0.05), (2, 9.0, 0.5))]
    long = [repeat(1, seed, 5000, psnr, ssim=ssim) for seed, psnr, ssim in ((1, 9.5, 0.6), (2, 3.0, 0.1))]
    for metric, most in (("val/ssim", 1.0), ("val/psnr", math.inf), ("score", 100.0)):
        estimate = extrapolate(short, long, metric, 100_000)
        assert estimate.low == 0
        assert estimate.low <= estimate.value <= estimate.high <= most


def test_what_is_left_to_the_bound_shrinks_by_factors(repeat) -> None:
    # 1 - SSIM falls to a quarter over one factor of ten, so by half of that in logarithms over the next.
    short = [repeat(1, seed, 1000, 30.0, ssim=0.6) for seed in (1, 2)]
    long = [repeat(1, seed, 10_000, 30.0, ssim=0.9) for seed in (1, 2)]
    assert extrapolate(short, long, "val/ssim", 100_000).value == pytest.approx(0.95)


@pytest.mark.parametrize("metric", METRICS)
def test_every_scale_leads_back_and_counts_better_as_more(metric: str) -> None:
    scale = METRICS[metric]
    assert scale.down(scale.up(0.3)) == pytest.approx(0.3)
    assert (scale.up(0.4) > scale.up(0.3)) == (metric != "val/lpips")


@pytest.mark.parametrize(("came", "word"), [(1.0, "below"), (2.5, "within"), (4.0, "above")])
def test_what_came_is_held_against_it(came: float, word: str) -> None:
    estimate = Estimate(10, 2.0, 1.5, 3.0)
    assert estimate.says(came) == f"{word} the estimate of 2 (1.5 to 3)"
    found = compare_with_came({"val/psnr": estimate, "val/lpips": estimate}, {"val/psnr": came})
    assert found == {"val/psnr": {"steps": 10, "value": 2.0, "low": 1.5, "high": 3.0, "came": came, "place": word}}
