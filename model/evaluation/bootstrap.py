"""Bootstrap intervals."""

from collections.abc import Sequence

import numpy as np


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
