"""What coordinator and worker say to each other; plain values, so that reading them needs no torch."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.recipe import Recipe


@dataclass(frozen=True)
class Assignment:
    """What a worker is for: the study's recipe and its device."""

    recipe: Recipe
    cuda_device: str | None  # one name of CUDA_VISIBLE_DEVICES; None on the CPU
    num_threads: int
    pruning: bool  # whether a trial may be stopped at any evaluation; else the last one alone is asked about


@dataclass(frozen=True)
class Supply:
    """What is known later than the worker is started: where the study's bank is, and whether LPIPS is to be had."""

    bank: Path
    perceptual: bool


@dataclass(frozen=True)
class Task:
    """One trial: its changes of the recipe and the folder for its checkpoint."""

    number: int
    changes: dict[str, Any]
    folder: Path


@dataclass(frozen=True)
class Ready:
    """The worker holds its bank and waits for a task."""


@dataclass(frozen=True)
class Progress:
    """A measurement of the running trial.

    Where it `asks`, the worker waits for "go on" (True) or "stop" (False). After the last step there is only the checkpoint
    to go on to: "stop" means that nobody wants it.
    """

    measurement: Any  # model.training.measurement.Measurement
    asks: bool


@dataclass(frozen=True)
class Done:
    """The trial ended at its last step or was told to stop; the worker was busy with it for `busy_s` and waited otherwise."""

    busy_s: float


@dataclass(frozen=True)
class Failed:
    """The trial ended with an error; at the step `diverged_at` a value was not finite, which the sampler shall learn from.

    A worker that `leaves` takes no other trial: its device or its memory cannot be relied on any more.
    """

    reason: str
    traceback: str
    diverged_at: int | None
    busy_s: float
    leaves: bool = False
    shortage: dict[str, Any] | None = None  # fields of model.training.memory.Shortage, where memory ran out

    @property
    def diverged(self) -> bool:
        """Whether a value was not finite."""
        return self.diverged_at is not None
