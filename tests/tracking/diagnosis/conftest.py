"""Evidence of a sound run, and what differs from it."""

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest

from model.preflight.report import (
    FitCheck,
    InputCheck,
    LossCheck,
    Preflight,
    ReferenceCheck,
    ScheduleCheck,
    TargetCheck,
    TensorRange,
)
from tracking.diagnosis.evidence import LOSSES, Evidence
from tracking.diagnosis.stored import CheckpointFacts

EvidenceOf = Callable[..., Evidence]

STEPS = range(10, 1001, 10)


#: What the probes of a sound run log beside losses and gradients.
PROBES = {
    "input/std": 0.25,
    "output/std_ratio": 0.9,
    "output/saturated_share": 0.05,
    "weights/change": 0.02,
    "weights/expected_change": 0.03,
    "weights/identical_share": 0.0,
    "weights/below_precision": 0.0,
    "average/change": 0.2,
    "adam/starved_share": 0.0,
    "steps/skipped": 0.0,
}


def scores(psnr: float, **more: Any) -> dict[str, Any]:
    """Scores.to_json() as far as a diagnosis reads it."""
    return {"psnr": psnr, "clips": [{"name": "a", "psnr": psnr - 1}, {"name": "b", "psnr": psnr + 1}], **more}


def flat(value: float) -> list[tuple[int, float]]:
    return [(step, value) for step in STEPS]


def cosine(step: int) -> float:
    return 3e-4 * 0.5 * (1 + math.cos(math.pi * step / 1000))


def sound() -> Evidence:
    """1000 steps that reach 24 dB, with the numbers of the first H200 runs (docs/LOG.md)."""
    curves = {
        "input/min": flat(0.0),
        "input/max": flat(1.0),
        "input/mean": flat(0.45),
        "gradient/norm": flat(0.8),
        "gradient/clipped": flat(0.3),
        "critic/loss": flat(0.7),
        "critic/correction_rms": flat(0.98),
        "learning_rate": [(step, cosine(step)) for step in STEPS],
        "loss/total": flat(0.2),
    }
    curves |= {name: flat(value) for name, value in PROBES.items()}
    values = {"encoder": 0.05, "decoder": 0.004, "reconstruction": 0.004, "perceptual": 0.2, "seraena": 0.97}
    for name in LOSSES:
        curves[f"loss/{name}"] = flat(values[name])
        curves[f"share/{name}"] = flat(0.2)
        curves[f"gradient_share/{name}"] = flat(0.2)
    settings: dict[str, Any] = {f"losses.{name}": 0.5 for name in LOSSES}
    settings |= {"schedule.kind": "cosine", "schedule.warmup_share": 0.05}
    settings |= {"optimizer.max_gradient_norm": 1.0, "reference.source": "pca", "losses.critic_width": 1.0}
    return Evidence(
        settings=settings,
        curves=curves,
        evaluation=scores(24.0, best_frame_shift=0, output_std=0.24, target_std=0.25, saturated_share=0.03),
        baselines={
            "black": scores(6.2),
            "grey": scores(12.4),
            "mean_colour": scores(15.7),
            "average_8x8": scores(21.8),
        },
        reference=scores(27.7),
        failure=None,
    )


def preflight(**changes: Any) -> Preflight:
    """A preflight without a fault, with other fields laid over."""
    frames = TensorRange(0.0, 1.0, 0.45, 0.25)
    losses = {name: LossCheck(0.5, 0.1, 0.3, None, None) for name in LOSSES}
    losses |= {
        name: LossCheck(0.5, 0.1, 0.3, TargetCheck(0, frames, 0.0), None) for name in ("decoder", "reconstruction")
    }
    whole = Preflight(
        seconds=9.0,
        training_input=InputCheck(frames, 0.0),
        evaluation_input=InputCheck(TensorRange(0.0, 1.0, 0.47, 0.26), 0.0),
        losses=losses,
        reference=ReferenceCheck(latent_mean=0.0, latent_std=1.0, repeat_difference=0.0, frame_shift=0),
        start=None,
        fit=FitCheck(steps=40, first_loss=0.06, last_loss=0.02, change=0.1, output_std=0.2, target_std=0.25),
        shared=(),
        num_shared=0,
        schedule=ScheduleCheck(horizon=1000, warmup_share=0.05, low_share=0.06),
    )
    return dataclasses.replace(whole, **changes)


@pytest.fixture
def preflight_of() -> Callable[..., dict[str, Any]]:
    """A sound preflight with changed fields, as evidence holds it."""
    return lambda **changes: preflight(**changes).to_json()


@pytest.fixture
def evidence_of() -> EvidenceOf:
    """The sound run with changes: settings, curves and evaluation are laid over, None removes a curve."""

    def build(
        settings: dict[str, Any] | None = None,
        curves: dict[str, list[tuple[int, float]] | float | None] | None = None,
        evaluation: dict[str, Any] | None = None,
        **whole: Any,
    ) -> Evidence:
        base = sound()
        merged = dict(base.curves)
        for name, points in (curves or {}).items():
            merged.pop(name, None)
            if points is not None:
                merged[name] = flat(points) if isinstance(points, int | float) else points
        assert base.evaluation is not None
        changed = dataclasses.replace(
            base,
            settings=base.settings | (settings or {}),
            curves=merged,
            evaluation=base.evaluation | (evaluation or {}),
        )
        return dataclasses.replace(changed, **whole)

    return build


@pytest.fixture
def failed_run() -> Evidence:
    """The run of seed-report.md: what its log, its configuration and its checkpoints show."""
    return Evidence(
        settings={
            "losses.encoder": 1.0,
            "losses.decoder": 1.0,
            "losses.reconstruction": 0.1,
            "losses.perceptual": 0.05,
            "losses.seraena": 0.3,
            "optimizer.learning_rate": 5e-5,
            "optimizer.max_gradient_norm": 1.0,
            "schedule.kind": "cosine_with_restarts",
            "schedule.cycles": 3,
            "schedule.warmup_share": 0.02,
            "training.steps": 100_000,
        },
        curves={
            "loss/reconstruction": [(56504, 5e-6), (100000, 5e-6)],
            "loss/encoder": [(56504, 0.021361), (100000, 0.038085)],
            "loss/total": [(56504, 0.021362), (100000, 0.038086)],
        },
        evaluation={"psnr": 4.24, "ssim": 0.012, "lpips": 0.806, "overall": 4.1},
        checkpoints=tuple(
            CheckpointFacts(f"step {step}", step, mean=0.000858, std=0.034912, digits=6)
            for step in (82_000, 90_000, 100_000)
        ),
    )
