"""Commands of the project as a person runs them: each in a process of its own."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"

#: A training of four steps on eight clips of 24 px: everything happens, nothing is learned.
TINY = (
    "network.width=0.125",
    "search.space.learning_rate=[3e-5, 3e-3]",
    "data.crop_px=24",
    "data.short_side_px=48",
    "data.max_video_frames=24",
    "data.training_clips=8",
    "data.validation_clips=4",
    "data.workers=1",
    "training.steps=4",
    "training.batch_size=2",
    "training.evaluate_every=2",
    "training.log_every=1",
    "training.probe_every=2",
    "training.checkpoint_every=2",
    "evaluation.bootstrap_resamples=100",
    "evaluation.pictures=1",
    "losses.replay_mib=1",
)


@dataclass(frozen=True)
class Command:
    """A command that has ended."""

    code: int
    out: str
    err: str


def arguments(module: str, *options: str) -> list[str]:
    return [sys.executable, "-m", module, *options]


def environment(**changes: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | changes


def settings_options(*changes: str) -> list[str]:
    return ["--profile", "cpu", *(part for change in changes for part in ("--set", change))]


@dataclass(frozen=True)
class DoneStudy:
    """A study of six tiny trials that was run by the command."""

    root: Path
    changes: list[str]
    command: Command
