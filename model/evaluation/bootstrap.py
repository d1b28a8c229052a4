"""Bootstrap intervals."""

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray


def interval(values: Sequence[float], resamples: int, seed: int) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the mean of `values`, one value per clip.

    Clips are drawn with replacement, not frames: the frames of a clip are alike and would make the interval too narrow
    (Efron and Tibshirani: An introduction to the bootstrap, 1993, section 13.3).

    Args:
        values: at least one.
        resamples: how often a set of the same size is drawn.
        seed: equal seeds draw equal sets, so that two results on the same clips meet the same luck.
    """
    assert len(values) > 0
    generator = np.random.default_rng(seed)
    drawn = generator.integers(len(values), size=(resamples, len(values)))
    low, high = np.percentile(np.asarray(values, dtype=np.float64)[drawn].mean(axis=1), (2.5, 97.5))
    return float(low), float(high)


def cluster_means(
    values: Sequence[float], clusters: Sequence[Hashable], resamples: int, seed: int
) -> NDArray[np.float64]:
    """Means of `values` [resamples] when whole clusters are drawn with replacement.

    Clips of one source are alike as frames of one clip are, so sources are drawn and not clips (Davison and Hinkley: Bootstrap
    methods and their application, 1997, section 3.8). Where all clips are of one source, clips are drawn: what other sources
    would say cannot be known then.

    Args:
        values: one per clip, at least one.
        clusters: which source each is of.
        resamples: how often as many sources as there are are drawn.
        seed: equal seeds draw equal sets.
    """
    assert len(values) == len(clusters) > 0, (len(values), len(clusters))
    names = sorted(set(clusters), key=list(clusters).index)
    places = [names.index(cluster) for cluster in clusters] if len(names) > 1 else list(range(len(values)))
    sums, counts = np.bincount(places, weights=np.asarray(values, dtype=np.float64)), np.bincount(places)
    drawn = np.random.default_rng(seed).integers(len(sums), size=(resamples, len(sums)))
    means: NDArray[np.float64] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means


def cluster_interval(
    values: Sequence[float], clusters: Sequence[Hashable], resamples: int, seed: int, confidence: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of `cluster_means`; with few sources it is narrower than it should be, and wider than without them."""
    outside = 50 * (1 - confidence)
    low, high = np.percentile(cluster_means(values, clusters, resamples, seed), (outside, 100 - outside))
    return float(low), float(high)
