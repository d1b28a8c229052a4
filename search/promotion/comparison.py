"""Two settings compared on the same clips and seeds: what differs, and how much of that is luck."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from model.evaluation.bootstrap import cluster_interval, cluster_means
from model.evaluation.evaluation import BOOTSTRAP_SEED
from model.evaluation.scores import score
from search.promotion.repeats import Repeat

#: Of an interval that allows for no others.
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
        seed_interval: Student's t over the differences of single seeds.
        clip_interval: bootstrap over the sources of the clips; of each clip the mean difference over the seeds.
        psnr_db: the same mean in dB of PSNR.
        confidence: of both intervals.
        sources: that the clips are of; 0 where that was not recorded, and clips were drawn one by one.
    """

    mean: float
    seed_interval: tuple[float, float]
    clip_interval: tuple[float, float]
    psnr_db: float
    confidence: float = CONFIDENCE
    sources: int = 0

    @property
    def surely(self) -> float:
        """What the first is better by at least, as far as seeds and clips can say."""
        return min(self.seed_interval[0], self.clip_interval[0])

    @property
    def is_gain(self) -> bool:
        """Whether the first is better by more than seeds and clips explain."""
        return self.surely > 0

    def in_words(self) -> str:
        """The intervals: "98.3 %: +0.10 to +0.90 over seeds, +0.20 to +0.70 over 6 sources of clips"."""
        (low, high), (clips_low, clips_high) = self.seed_interval, self.clip_interval
        over = f"{self.sources} sources of clips" if self.sources else "clips"
        seeds = f"{100 * self.confidence:.3g} %: {low:+.2f} to {high:+.2f} over seeds"
        return f"{seeds}, {clips_low:+.2f} to {clips_high:+.2f} over {over}"


@dataclass(frozen=True)
class Pairs:
    """Differences of two settings' scores, paired by seed and by clip.

    Attributes:
        rows: seeds x clips.
        sources: of the clips, in the order of the columns.
        psnr_db: mean difference in dB.
    """

    rows: np.ndarray
    sources: tuple[str, ...]
    psnr_db: float

    def chance(self, resamples: int) -> float:
        """Probability, two-sided, of so great a lead without any difference: the greater of that over seeds and over sources."""
        of_seeds, of_clips = self.rows.mean(axis=1), self.rows.mean(axis=0)
        error = float(of_seeds.std(ddof=1)) / math.sqrt(len(of_seeds))
        mean = float(of_seeds.mean())
        by_seeds = float(mean <= 0) if error == 0 else 2 * float(student.sf(mean / error, len(of_seeds) - 1))
        drawn = cluster_means(of_clips.tolist(), self.sources, resamples, BOOTSTRAP_SEED)
        return min(1.0, max(by_seeds, 2 * float((drawn <= 0).mean())))


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


def pair(ones: Sequence[Repeat], others: Sequence[Repeat], sources: Mapping[str, str]) -> Pairs:
    """Pair repeats of two settings by their seeds and clips, which removes what a seed or a clip does to both.

    Args:
        ones: repeats of the first setting, at least two.
        others: of the second, with the same seeds and steps.
        sources: of the clips, by the clips' names.

    Raises:
        ValueError: they were scored on other clips.
    """
    pairs = list(zip(sorted(ones, key=by_seed), sorted(others, key=by_seed), strict=True))
    assert len(pairs) > 1, "one pair has no deviation"
    assert all(one.seed == other.seed and one.steps == other.steps for one, other in pairs), "pairs of different runs"
    names = list(pairs[0][0].clips)
    for repeat in (*ones, *others):
        if repeat.clips.keys() != set(names):
            raise ValueError(
                f"confirmations must be scored on the same clips, but those of run {repeat.run_id} and of run "
                f"{pairs[0][0].run_id} have other names; delete that run in MLflow and give the command again"
            )
    return Pairs(
        rows=np.array([clip_scores(one, names) - clip_scores(other, names) for one, other in pairs]),
        sources=tuple(sources.get(name, name) for name in names),
        psnr_db=statistics.fmean(one.metrics["val/psnr"] - other.metrics["val/psnr"] for one, other in pairs),
    )


def compare(pairs: Pairs, resamples: int, confidence: float = CONFIDENCE) -> Difference:
    """Compare two settings pair by pair.

    Seeds and clips are two kinds of luck with an interval each; three seeds give a wide one (t of 2 degrees of freedom: 4.3
    standard errors), which is what three seeds can say.

    Args:
        pairs: of their repeats.
        resamples: of the bootstrap over sources.
        confidence: of the intervals.
    """
    rows = pairs.rows
    return Difference(
        mean=float(rows.mean()),
        seed_interval=student_interval(rows.mean(axis=1).tolist(), confidence),
        clip_interval=cluster_interval(
            rows.mean(axis=0).tolist(), pairs.sources, resamples, BOOTSTRAP_SEED, confidence
        ),
        psnr_db=pairs.psnr_db,
        confidence=confidence,
        sources=len(set(pairs.sources)),
    )


def by_seed(repeat: Repeat) -> int:
    """Where a repeat stands among those of its setting."""
    return repeat.seed


def clip_scores(repeat: Repeat, names: Sequence[str]) -> np.ndarray:
    """The objective of each clip; its mean is the repeat's score, which is linear in PSNR and SSIM."""
    return np.array([score(*repeat.clips[name]) for name in names])


def student_interval(values: Sequence[float], confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Student's interval of the mean of at least two values (Student: The probable error of a mean, 1908)."""
    mean, error = statistics.fmean(values), statistics.stdev(values) / math.sqrt(len(values))
    half = student_quantile(len(values), confidence) * error
    return mean - half, mean + half


def student_quantile(count: int, confidence: float = CONFIDENCE) -> float:
    """How many standard errors of the mean of `count` values lie to either side within this confidence."""
    return float(student.ppf((1 + confidence) / 2, count - 1))
