"""Weights of a full run that stay: the best and every so many steps, besides the last."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from safetensors import safe_open

from model.training.checkpoint import WEIGHTS

BEST = WEIGHTS.with_name("best.safetensors")


def keep_weights(folder: Path, scores: Mapping[int, float], keep_every: int) -> None:
    """Copy the last weights of a run to the places that they deserve; done twice it changes nothing.

    Called at the start and after each step that was saved, so that a kill between saving and copying loses nothing.

    Args:
        folder: of the run.
        scores: of every step that was evaluated so far.
        keep_every: steps between weights that stay for good.
    """
    last = folder / WEIGHTS
    if not last.exists():
        return
    step = step_of(last)
    wanted = [WEIGHTS.with_name(f"step-{step:06d}.safetensors")] if step % keep_every == 0 else []
    if step in scores and scores[step] >= max(score for known, score in scores.items() if known <= step):
        wanted.append(BEST)
    for target in (folder / name for name in wanted):
        if not target.exists() or step_of(target) != step:
            copy(last, target)


def step_of(weights: Path) -> int:
    """The step that one of our weight files was written at."""
    with safe_open(weights, framework="pt") as file:
        return int(file.metadata()["step"])


def copy(source: Path, target: Path) -> None:
    """Replace a file by a copy of another, so that at every moment it is whole."""
    draft = target.with_suffix(".tmp")
    shutil.copyfile(source, draft)
    with draft.open("rb") as file:
        os.fsync(file.fileno())
    draft.replace(target)
