import numpy as np
import pytest

from model.evaluation.bootstrap import interval


def test_equal_seeds_give_equal_intervals() -> None:
    values = np.linspace(20, 31, 24).tolist()
    assert interval(values, 500, seed=1) == interval(values, 500, seed=1)
    assert interval(values, 500, seed=1) != interval(values, 500, seed=2)


def test_the_global_random_state_is_neither_used_nor_changed() -> None:
    np.random.seed(0)
    expected = np.random.random()
    np.random.seed(0)
    interval([1.0, 2.0], 100, seed=0)
    assert np.random.random() == expected


def test_one_clip_says_nothing_about_others() -> None:
    assert interval([23.0], 100, seed=0) == (23.0, 23.0)


def test_matches_the_normal_approximation_for_many_values() -> None:
    values = np.random.default_rng(0).normal(30, 4, size=400).tolist()
    low, high = interval(values, 4000, seed=0)
    half = 1.96 * np.std(values) / 20
    assert low == pytest.approx(np.mean(values) - half, abs=0.05)
    assert high == pytest.approx(np.mean(values) + half, abs=0.05)


def test_covers_the_true_mean_about_19_times_in_20() -> None:
    generator = np.random.default_rng(0)
    hits = 0
    for _ in range(200):
        low, high = interval(generator.normal(30, 4, size=40).tolist(), 400, seed=0)
        hits += low <= 30 <= high
    assert 180 <= hits <= 197
