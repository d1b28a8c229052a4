"""Repeats: a candidate's settings trained again, with a seed and a number of steps of their own."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from model.settings import change, identity
from search.promotion.candidates import Candidate
from search.settings import Settings, recipe_of
from search.space import changes
from tracking.query import RunRow, children, history
from tracking.recorded import EVALUATION, artifact
from tracking.store import Store

#: A repeat is evaluated this often: its curve has a point at 40 % of its steps (step 2000 of 5000) and at its end.
EVALUATIONS = 10

#: Tags that say which repeat a run is.
CANDIDATE_TAG, SEED_TAG, HORIZON_TAG = "trial_number", "seed", "horizon"

#: Tag of a failed repeat that a value which was not finite ended: it is a result.
DIVERGED_TAG = "diverged"


@dataclass(frozen=True)
class Plan:
    """A repeat that is to be there: `changes` of the study's settings, and the identity of what they make."""

    candidate: Candidate
    seed: int
    steps: int
    changes: dict[str, Any]
    identity: str

    @property
    def label(self) -> str:
        """How it is called to people."""
        return f"{self.candidate.label}, seed {self.seed}, {self.steps} steps"


@dataclass(frozen=True)
class Repeat:
    """A repeat that came to its end.

    Attributes:
        trial: number of the trial whose settings it has.
        seed: of its weights, batches and crops' order.
        steps: that it was trained for, and its horizon.
        metrics: of its last evaluation, by their names in the record.
        clips: PSNR (dB) and SSIM of each validation clip, by its name.
        curve: (step, PSNR in dB) of every evaluation.
        verdict: of its diagnosis (ok, warning, error).
        run_id: its run.
        diverged: a value was not finite, which would come again; it has neither metrics nor clips.
    """

    trial: int
    seed: int
    steps: int
    metrics: dict[str, float]
    clips: dict[str, tuple[float, float]]
    curve: tuple[tuple[int, float], ...]
    verdict: str
    run_id: str
    diverged: bool = False

    @property
    def score(self) -> float:
        """The objective; 0 for one that diverged, which no picture has."""
        return 0.0 if self.diverged else self.metrics["score"]


def plan_repeats(
    settings: Settings, candidates: Iterable[Candidate], seeds: Iterable[int], horizons: Iterable[int]
) -> list[Plan]:
    """One plan for each candidate, seed and number of steps; short ones first, so that a first comparison comes early."""
    candidates, seeds = list(candidates), list(seeds)
    return [
        plan_repeat(settings, candidate, seed, steps)
        for steps in dict.fromkeys(horizons)
        for seed in seeds
        for candidate in candidates
    ]


def plan_repeat(settings: Settings, candidate: Candidate, seed: int, steps: int) -> Plan:
    """The candidate's settings with another seed and number of steps; schedule and average stretch with the horizon."""
    wanted = changes(candidate.parameters) | {
        "training.seed": seed,
        "training.steps": steps,
        "training.evaluate_every": max(1, steps // EVALUATIONS),
    }
    return Plan(candidate, seed, steps, wanted, identity(recipe_of(change(settings, wanted))))


def fresh_seeds(settings: Settings) -> list[int]:
    """Seeds that no trial of the study was trained with."""
    return [settings.training.seed + 1 + index for index in range(settings.promotion.seeds)]


def finished_repeats(store: Store, study_run: str) -> dict[str, Repeat]:
    """The finished repeats below a study's run, by the identity of their settings; of two the newer one.

    Those that diverged are among them, and so are finished full runs: each is a longer training of a trial's settings.
    """
    return {row.tags["identity"]: read_repeat(store, row) for row in finished_runs(store, study_run)}


def finished_runs(store: Store, study_run: str) -> list[RunRow]:
    """The runs of finished repeats; of full runs those that say which repeat they are, as older ones do not."""
    rows = [*children(store, study_run, role="confirm"), *children(store, study_run, role="full")]
    return [row for row in rows if HORIZON_TAG in row.tags and (row.status == "FINISHED" or DIVERGED_TAG in row.tags)]


def read_repeat(store: Store, row: RunRow) -> Repeat:
    """Read a repeat back from its run.

    Raises:
        ValueError: its evaluation is missing or damaged.
    """
    if DIVERGED_TAG in row.tags:
        trial, seed, steps = (int(row.tags[tag]) for tag in (CANDIDATE_TAG, SEED_TAG, HORIZON_TAG))
        return Repeat(trial, seed, steps, {}, {}, (), row.tags.get("diagnosis", ""), row.id, diverged=True)
    evaluation = artifact(store, row.id, EVALUATION)
    if evaluation is None:
        raise ValueError(
            f"a finished confirmation must have its {EVALUATION}, but run {row.id} has none; delete that run in MLflow "
            "and give the command again"
        )
    return Repeat(
        trial=int(row.tags[CANDIDATE_TAG]),
        seed=int(row.tags[SEED_TAG]),
        steps=int(row.tags[HORIZON_TAG]),
        metrics={name: value for name, value in row.metrics.items() if name == "score" or name.startswith("val/")},
        clips={clip["name"]: (clip["psnr"], clip["ssim"]) for clip in evaluation["clips"]},
        curve=tuple(history(store, row.id, "val/psnr")),
        verdict=row.tags.get("diagnosis", ""),
        run_id=row.id,
    )
