"""What a person does after a study."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from shlex import quote

from model.evaluation.scores import Scores
from search.ranking import Row
from search.settings import Settings
from tracking.diagnosis.rules_output import CONSTANT_BASELINES

#: A study whose best trial shows no picture is followed by a run of so many times its steps, and not by a full one.
LONGER = 10


def next_step(
    settings: Settings, rows: Sequence[Row], yardsticks: Mapping[str, Scores], folder: Path
) -> tuple[str, str]:
    """Return a note, which may be empty, and the command that comes next, empty where no complete trial has a score.

    Args:
        settings: of the study.
        rows: its finished trials, the best first.
        yardsticks: scores that need no training.
        folder: with the study's best.toml.
    """
    # A pruned trial has a score of an earlier step: nothing to begin a full run with.
    if not rows or rows[0].state != "COMPLETE" or not rows[0].metrics.keys() >= {"score", "val/psnr"}:
        return "", ""
    steps, note = settings.promotion.steps, ""
    constant = max(yardsticks[name].psnr for name in CONSTANT_BASELINES)
    if rows[0].metrics["val/psnr"] <= constant:
        steps = LONGER * settings.training.steps
        note = f"no trial is better than a frame of one colour ({constant:.2f} dB): a longer run shows if steps are missing"
    return note, f"python -m search.train --config {quote(str(folder / 'best.toml'))} --set training.steps={steps}"
