"""Intervals that a set of clips from few videos deserves."""

from collections.abc import Mapping
from dataclasses import replace

from model.evaluation.bootstrap import cluster_interval
from model.evaluation.evaluation import BOOTSTRAP_SEED
from model.evaluation.scores import Scores, score


def with_intervals_over_sources(scores: Scores, sources: Mapping[str, str], resamples: int) -> Scores:
    """The same scores with intervals that draw the sources of the clips and not clip by clip (model/evaluation/bootstrap.py).

    Args:
        scores: of clips.
        sources: of each clip, by its name.
        resamples: how often sources are drawn.
    """
    clips = scores.clips
    values = {
        "score": [score(clip.psnr, clip.ssim) for clip in clips],
        "val/psnr": [clip.psnr for clip in clips],
        "val/ssim": [clip.ssim for clip in clips],
        "val/flicker": [clip.flicker for clip in clips],
        "val/lpips": [clip.lpips for clip in clips if clip.lpips is not None],
    }
    clusters = [sources[clip.name] for clip in clips]
    return replace(
        scores,
        intervals={
            name: cluster_interval(of_clips, clusters, resamples, BOOTSTRAP_SEED)
            for name, of_clips in values.items()
            if of_clips
        },
    )
