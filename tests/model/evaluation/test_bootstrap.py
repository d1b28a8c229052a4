import numpy as np
import pytest

from model.evaluation.bootstrap import cluster_interval, cluster_means, interval


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


def test_clusters_of_one_value_are_the_values() -> None:
    values = np.linspace(20, 31, 24).tolist()
    assert cluster_interval(values, range(24), 500, seed=1) == pytest.approx(interval(values, 500, seed=1))


def test_whole_clusters_are_drawn_with_their_sizes() -> None:
    # Two clusters of 3 and 1 values: drawn are both (mean 5), the first twice (mean 4) or the second twice (mean 8).
    means = cluster_means([3.0, 4.0, 8.0, 5.0], ["a", "a", "b", "a"], 400, seed=0)
    assert set(means.round(9)) == {4.0, 5.0, 8.0}
    assert np.mean(means == 5.0) == pytest.approx(0.5, abs=0.08)


def test_values_that_share_their_luck_are_covered_only_with_their_clusters() -> None:
    generator, hits = np.random.default_rng(0), np.zeros(2)
    clusters = np.repeat(np.arange(20), 8)
    for _ in range(100):
        values = (generator.normal(30, 4, size=20)[clusters] + generator.normal(0, 1, size=160)).tolist()
        intervals = cluster_interval(values, clusters.tolist(), 400, seed=0), interval(values, 400, seed=0)
        hits += [low <= 30 <= high for low, high in intervals]
    assert hits[0] >= 85
    assert hits[1] < 70


def test_of_one_cluster_values_are_drawn_alone() -> None:
    expected = interval([1.0, 2.0, 3.0], 500, seed=0)
    assert cluster_interval([1.0, 2.0, 3.0], ["a"] * 3, 500, seed=0) == pytest.approx(expected)


def test_a_greater_confidence_is_wider() -> None:
    values = np.linspace(20, 31, 24).tolist()
    usual, surer = (cluster_interval(values, range(24), 2000, 0, confidence) for confidence in (0.95, 0.99))
    assert surer[0] < usual[0] < usual[1] < surer[1]
