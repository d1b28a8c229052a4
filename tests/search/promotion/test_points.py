from dataclasses import replace

import pytest

from search.promotion.points import agreements, seed_values
from search.ranking import Row


def row(number: int, score: float) -> Row:
    return Row(0, number, "", "COMPLETE", {"score": score}, {}, "")


ROWS = [row(number, 50.0 + number) for number in range(6)]


def test_a_longer_training_is_held_against_the_trial_that_it_repeats(repeat) -> None:
    long = [repeat(number, 0, 5000, 20.0 + number) for number in range(5)]
    (agreement,) = agreements(ROWS, long, 1000, 0)
    assert (agreement.short_steps, agreement.long_steps) == (1000, 5000)
    assert [(point.label, point.short) for point in agreement.points] == [(f"trial {n}", 50.0 + n) for n in range(5)]
    assert [point.long for point in agreement.points] == [50 * (20.0 + n) / 40 + 25 for n in range(5)]
    assert agreement.spearman == pytest.approx(1.0)


def test_several_seeds_count_once_with_their_means_at_both_lengths(repeat) -> None:
    repeats = [
        repeat(number, seed, steps, 20.0 + number + seed + steps / 1000)
        for number in range(4)
        for seed in (1, 2)
        for steps in (1000, 5000)
    ]
    (agreement,) = agreements(ROWS, repeats, 1000, 0)
    assert [point.short for point in agreement.points] == [50 * (22.5 + n) / 40 + 25 for n in range(4)]
    assert [point.long for point in agreement.points] == [50 * (26.5 + n) / 40 + 25 for n in range(4)]


def test_each_greater_length_has_its_own_and_few_settings_none(repeat) -> None:
    repeats = [repeat(number, 0, steps, 20.0 + number) for number in range(5) for steps in (2000, 5000)]
    repeats += [repeat(number, 0, 9000, 20.0) for number in range(3)]
    assert [found.long_steps for found in agreements(ROWS, repeats, 1000, 0)] == [2000, 5000]


def test_the_values_of_a_trials_length_are_given_by_trial_and_in_the_order_of_the_seeds(repeat) -> None:
    repeats = [repeat(3, 2, 1000, 21.0), repeat(3, 1, 1000, 20.0), repeat(1, 1, 1000, 18.0), repeat(3, 1, 5000, 30.0)]
    assert seed_values(repeats, 1000, "val/psnr") == {1: (18.0,), 3: (20.0, 21.0)}
    assert seed_values([], 1000, "val/psnr") == {}


def test_a_setting_counts_with_the_seeds_that_both_lengths_have(repeat) -> None:
    # Long with the trial's seed and a fresh one, short with that and with one that has no long partner.
    repeats = [repeat(number, seed, 5000, 30.0 + number + seed) for number in range(4) for seed in (0, 1)]
    repeats += [repeat(number, seed, 1000, 20.0 + number + seed) for number in range(4) for seed in (1, 2)]
    (agreement,) = agreements(ROWS, repeats, 1000, 0)
    assert [point.short for point in agreement.points] == [(50.0 + n + 50 * (21.0 + n) / 40 + 25) / 2 for n in range(4)]
    assert [point.long for point in agreement.points] == [50 * (30.5 + n) / 40 + 25 for n in range(4)]


def test_the_trials_score_stands_alone_where_no_seed_is_shared(repeat) -> None:
    (agreement,) = agreements(ROWS, [repeat(number, 7, 5000, 20.0 + number) for number in range(4)], 1000, 0)
    assert [point.short for point in agreement.points] == [50.0 + n for n in range(4)]


def test_a_training_that_diverged_comes_last_and_is_no_noise(repeat) -> None:
    repeats = [repeat(number, 0, 5000, 20.0 + number) for number in range(4)]
    repeats[3] = replace(repeats[3], metrics={}, clips={}, diverged=True)
    (agreement,) = agreements(ROWS, repeats, 1000, 0)
    assert [point.long for point in agreement.points][3] == 0.0
    assert agreement.regret == 50 * 22.0 / 40 + 25  # the best trial is the one that diverged
    assert set(seed_values(repeats, 5000, "score")) == {0, 1, 2}
