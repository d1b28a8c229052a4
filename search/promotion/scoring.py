"""Scores of the weights in a file."""

from dataclasses import replace
from pathlib import Path

from model.bank import Bank
from model.evaluation.bootstrap import cluster_interval
from model.evaluation.evaluation import BOOTSTRAP_SEED, evaluate
from model.evaluation.scores import Scores, score
from model.network.placement import place
from model.network.taehv import TAEHV
from model.network.weights import load_weights
from search.preparation import Preparation
from search.promotion.sources import sources_of
from search.settings import Settings


def score_weights(weights: Path, settings: Settings, prepared: Preparation) -> Scores:
    """Load weights from their file and score them on the study's validation clips."""
    model = TAEHV(settings.network)
    load_weights(model, weights)
    place(model, prepared.device)
    bank = prepared.bank
    return evaluate(
        lambda video: model.decode(model.encode(video)),
        bank.validation,
        bank.validation_names,
        settings.evaluation,
        prepared.perceptual,
        prepared.device,
    )


def with_intervals_over_sources(scores: Scores, bank: Bank, resamples: int) -> Scores:
    """The same scores with intervals that draw the sources of the clips and not clip by clip (model/evaluation/bootstrap.py)."""
    sources, clips = sources_of(bank), scores.clips
    values = {
        "score": [score(clip.psnr, clip.ssim) for clip in clips],
        "val/psnr": [clip.psnr for clip in clips],
        "val/ssim": [clip.ssim for clip in clips],
        "val/flicker": [clip.flicker for clip in clips],
        "val/lpips": [clip.lpips for clip in clips if clip.lpips is not None],
    }
    clusters = [sources.get(clip.name, clip.name) for clip in clips]
    return replace(
        scores,
        intervals={
            name: cluster_interval(of_clips, clusters, resamples, BOOTSTRAP_SEED)
            for name, of_clips in values.items()
            if of_clips
        },
    )
