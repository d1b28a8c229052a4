"""What the training loop hands out."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.evaluation.scores import Scores
from model.training.settings import LossSettings
from model.training.state import Tally
from model.training.step import Step


@dataclass(frozen=True)
class Measurement:
    """The state of a training after `step` optimisation steps.

    `values` has the metric names of the record (loss/total, gradient/norm, ...), those of the scores included. `scores`
    and `picture` (uint8 HWC strips of the first validation clips) come with the steps that were evaluated, and are of the
    averaged weights. `extremes` comes with the last step: the same of the clips with the lowest and the highest PSNR.
    """

    step: int
    values: dict[str, float]
    scores: Scores | None = None
    picture: NDArray[np.uint8] | None = None
    extremes: NDArray[np.uint8] | None = None


def name_values(step: Step, tally: Tally, weights: LossSettings) -> dict[str, float]:
    """Give what a step measured the metric names of the record.

    share/<name> is weight * loss over the weighted sum, train/psnr = -10 log10(reconstruction loss) in dB of the
    unclamped output (100 dB at most, as in the scores), critic/correction_rms the RMS of the critic's correction, whose
    square is the Seraena loss.
    """
    values = {f"loss/{name}": loss for name, loss in step.losses.items()}
    for name, loss in step.losses.items():
        values[f"share/{name}"] = getattr(weights, name) * loss / step.total if step.total > 0 else 0.0
    if "reconstruction" in step.losses:
        values["train/psnr"] = -10 * math.log10(max(step.losses["reconstruction"], 1e-10))
    if "seraena" in step.losses:
        values["critic/correction_rms"] = math.sqrt(step.losses["seraena"])
    if step.critic_loss is not None:
        values["critic/loss"] = step.critic_loss.item()
    return values | {
        "loss/total": step.total,
        "gradient/norm": step.gradient_norm,
        "gradient/clipped": tally.clipped / tally.steps,
        "learning_rate": step.learning_rate,
        "time/step_ms": 1000 * tally.seconds / tally.steps,
        "time/data_wait_ms": 1000 * tally.waited_s / tally.steps,
        **step.probes,
    }
