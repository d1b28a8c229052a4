"""What the page of a study shows, gathered before anything is drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from optuna import Study

from model.evaluation.scores import Scores
from search.promotion.agreement import Agreement
from search.promotion.full_result import FullResult
from search.promotion.gate_record import GateRecord
from search.ranking import Row
from tracking.diagnosis import Diagnosis

#: A curve: (step, value), by step.
Curve = list[tuple[int, float]]


@dataclass(frozen=True)
class Shown:
    """A trial that the page shows in detail, with its part in the story: "best", "median", "worst", "seed_old"."""

    label: str
    row: Row


@dataclass(frozen=True)
class Counts:
    """How many trials of a study are in which state; `asked` is the --trials of the last command, 0 where it is unknown.

    Trials that ended with their command are `interrupted` and not `failed`.
    """

    complete: int
    pruned: int
    failed: int
    interrupted: int
    open: int
    asked: int


@dataclass(frozen=True)
class PictureColumn:
    """One column of the picture grid.

    Attributes:
        label: what it shows.
        steps: by training step the cells of all shown frames (uint8, one below the other) and their difference to the input,
            None for the input itself; what no training made has the one step 0.
        part: "input", "best", or "" for the others.
    """

    label: str
    steps: dict[int, tuple[NDArray[np.uint8], NDArray[np.uint8] | None]]
    part: str = ""


@dataclass(frozen=True)
class PageEvidence:
    """Everything that is known of a study; what is not known is empty or None.

    Attributes:
        name: of the study.
        among: the trials that importances compare, for Optuna's own plots; None where they are too few.
        importances: share of each parameter by evaluator, the most important first.
        rows: finished trials, the best first.
        counts: of all trials.
        failures: number and reason of the trials that failed or diverged, by number.
        yardsticks: scores that need no training, by name.
        baselines: names of the settings that every study tries first.
        curves: score by step, by trial number.
        verdicts: of the runs' diagnoses ("ok", "warning", "error"), by trial number.
        shown: trials in detail: best, median, worst and the baselines.
        clip_psnr: PSNR in dB by clip of the shown trials, by trial number.
        shares: curves `share/*` and `gradient_share/*` of best, median and worst, by trial number.
        pictures: columns of the picture grid.
        repeats: PSNR in dB of the confirmations of a trial's length, by number of the trial that they repeat.
        space: (low, high) of each searched number.
        diagnosis: of the study.
        frequent: codes of findings in the diagnoses of the best trials, by trial number.
        provenance: lines (what, value).
        commands: to reproduce (what it does, command).
        next_step: (note or "", command) for now.
        fidelity: trials against longer trainings of their settings, one for each greater number of steps.
        gate: the decision of the study's promotion, where one was made.
        full: what its newest registered full run came to, where there is one.
    """

    name: str
    rows: tuple[Row, ...]
    counts: Counts
    failures: dict[int, str]
    yardsticks: Mapping[str, Scores]
    baselines: tuple[str, ...]
    curves: dict[int, Curve]
    diagnosis: Diagnosis
    next_step: tuple[str, str]
    among: Study | None = None
    importances: dict[str, dict[str, float]] = field(default_factory=dict)
    space: dict[str, tuple[float, float]] = field(default_factory=dict)
    verdicts: dict[int, str] = field(default_factory=dict)
    shown: tuple[Shown, ...] = ()
    clip_psnr: dict[int, dict[str, float]] = field(default_factory=dict)
    shares: dict[int, dict[str, Curve]] = field(default_factory=dict)
    pictures: tuple[PictureColumn, ...] = ()
    repeats: dict[int, tuple[float, ...]] = field(default_factory=dict)
    frequent: dict[int, tuple[str, ...]] = field(default_factory=dict)
    provenance: tuple[tuple[str, str], ...] = ()
    commands: tuple[tuple[str, str], ...] = ()
    fidelity: tuple[Agreement, ...] = ()
    gate: GateRecord | None = None
    full: FullResult | None = None
