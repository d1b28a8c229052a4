"""By how much the best trial beats another one, and how far that is to be believed."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000

#: Differences beyond so many deviations are taken for more than luck (95 % of a normal distribution lie within).
DEVIATIONS = 2.0


@dataclass(frozen=True)
class Gain:
    """A difference of PSNR in dB with its 95 % interval over clips, None where the clips' scores are not in the record."""

    decibels: float
    interval: tuple[float, float] | None


def gain(best: float, other: float, best_clips: Mapping[str, float], other_clips: Mapping[str, float]) -> Gain:
    """Compare two trials by their PSNR in dB; clip by clip where both were scored on the same ones.

    Args:
        best: mean PSNR of the better trial.
        other: mean PSNR of the other.
        best_clips: PSNR by clip of the better trial; empty where it is unknown.
        other_clips: PSNR by clip of the other.
    """
    if len(best_clips) < 2 or best_clips.keys() != other_clips.keys():
        return Gain(best - other, None)
    differences = np.array([best_clips[name] - other_clips[name] for name in best_clips])
    draws = np.random.default_rng(0).integers(len(differences), size=(RESAMPLES, len(differences)))
    low, high = np.quantile(differences[draws].mean(1), (0.025, 0.975))
    return Gain(best - other, (float(low), float(high)))


def seed_noise(repeats: Mapping[int, tuple[float, ...]]) -> float | None:
    """By how many dB (one standard deviation) two trainings of the same settings differ between seeds; None if unknown.

    Args:
        repeats: PSNR in dB of the confirmations by the trial that they repeat.
    """
    spreads = [statistics.variance(values) for values in repeats.values() if len(values) > 1]
    if not spreads:
        return None
    return math.sqrt(2 * statistics.fmean(spreads))


def exceeds(decibels: float, noise: float) -> bool:
    """Whether a difference is more than luck between seeds."""
    return decibels > DEVIATIONS * noise
