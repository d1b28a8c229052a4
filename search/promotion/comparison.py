"""Two settings compared on the same clips and seeds: what differs, and how much of that is luck."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from model.evaluation.bootstrap import interval
from model.evaluation.evaluation import BOOTSTRAP_SEED
from model.evaluation.scores import score
from search.promotion.repeats import Repeat

#: Of every interval here.
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Summary:
    """Repeats of one setting with the same number of steps.

    Attributes:
        trial: number of the trial whose settings they have.
        steps: of each.
        scores: the objective by seed, in the order of the seeds.
        psnr: mean over the seeds in dB, as the next two are.
        ssim: structural similarity.
        lpips: perceptual distance; None where it was not measured.
        verdicts: of the diagnoses.
    """

    trial: int
    steps: int
    scores: tuple[float, ...]
    psnr: float
    ssim: float
    lpips: float | None
    verdicts: tuple[str, ...]

    @property
    def mean(self) -> float:
        """Mean score over the seeds."""
        return statistics.fmean(self.scores)

    @property
    def deviation(self) -> float:
        """Standard deviation of the score between seeds (n - 1)."""
        return statistics.stdev(self.scores)


@dataclass(frozen=True)
class Difference:
    """Score of one setting less that of another, on the same seeds and clips.

    Attributes:
        mean: over seeds and clips.
        seed_interval: 95 %, Student's t over the differences of single seeds.
        clip_interval: 95 %, bootstrap over the clips' differences, each a mean over the seeds.
        psnr_db: the same mean in dB of PSNR.
    """

    mean: float
    seed_interval: tuple[float, float]
    clip_interval: tuple[float, float]
    psnr_db: float

    @property
    def is_gain(self) -> bool:
        """Whether the first is better by more than seeds and clips explain."""
        return min(self.seed_interval[0], self.clip_interval[0]) > 0


def summarise(repeats: Sequence[Repeat]) -> Summary:
    """Sum up repeats of one setting and number of steps, at least two of them."""
    ordered = sorted(repeats, key=lambda repeat: repeat.seed)
    assert len({(repeat.trial, repeat.steps) for repeat in ordered}) == 1, "repeats of different settings or steps"
    lpips = [repeat.metrics["val/lpips"] for repeat in ordered if "val/lpips" in repeat.metrics]
    return Summary(
        trial=ordered[0].trial,
        steps=ordered[0].steps,
        scores=tuple(repeat.metrics["score"] for repeat in ordered),
        psnr=statistics.fmean(repeat.metrics["val/psnr"] for repeat in ordered),
        ssim=statistics.fmean(repeat.metrics["val/ssim"] for repeat in ordered),
        lpips=statistics.fmean(lpips) if len(lpips) == len(ordered) else None,
        verdicts=tuple(repeat.verdict for repeat in ordered),
    )


def compare(ones: Sequence[Repeat], others: Sequence[Repeat], resamples: int) -> Difference:
    """Compare repeats of two settings that have the same seeds, pair by pair.

    Pairing removes what a seed or a clip does to both. Seeds and clips are two kinds of luck with an interval each; three
    seeds give a wide one (t of 2 degrees of freedom: 4.3 standard errors), which is what three seeds can say.

    Args:
        ones: repeats of the first setting, at least two.
        others: of the second.
        resamples: of the bootstrap over clips.
    """
    pairs = list(zip(sorted(ones, key=by_seed), sorted(others, key=by_seed), strict=True))
    assert len(pairs) > 1, "one pair has no deviation"
    assert all(one.seed == other.seed and one.steps == other.steps for one, other in pairs), "pairs of different runs"
    rows = np.array([clip_scores(one) - clip_scores(other) for one, other in pairs])  # seeds x clips
    psnrs = [one.metrics["val/psnr"] - other.metrics["val/psnr"] for one, other in pairs]
    return Difference(
        mean=float(rows.mean()),
        seed_interval=student_interval(rows.mean(axis=1).tolist()),
        clip_interval=interval(rows.mean(axis=0).tolist(), resamples, BOOTSTRAP_SEED),
        psnr_db=statistics.fmean(psnrs),
    )


def by_seed(repeat: Repeat) -> int:
    """Where a repeat stands among those of its setting."""
    return repeat.seed


def clip_scores(repeat: Repeat) -> np.ndarray:
    """The objective of each clip; its mean is the repeat's score, which is linear in PSNR and SSIM."""
    return np.array([score(psnr, ssim) for psnr, ssim in repeat.clips])


def student_interval(values: Sequence[float]) -> tuple[float, float]:
    """Student's 95 % interval of the mean of at least two values (Student: The probable error of a mean, 1908)."""
    mean, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    half = float(student.ppf((1 + CONFIDENCE) / 2, len(values) - 1)) * error
    return mean - half, mean + half
