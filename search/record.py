"""What a study leaves in MLflow: one parent run, a child for every training."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import tomli_w

from model.evaluation.scores import Scores
from model.evaluation.yardsticks import REFERENCE
from model.preflight.preflight import for_trial
from model.preflight.report import Preflight
from model.recipe import Recipe
from model.settings import flatten, identity
from model.training.measurement import Measurement
from search.description import describe_study, describe_training
from search.preparation import Preparation, running_folder
from search.settings import Settings, recipe_of, recorded
from tracking.diagnosis import Diagnosis, Evidence, diagnose
from tracking.diagnosis_files import log_diagnosis
from tracking.provenance import log_provenance
from tracking.query import find_runs
from tracking.recorded import EVALUATION, PREFLIGHT, SHORTAGE
from tracking.run import DESCRIPTION, Run, move_checkpoint, reopen_run, start_run
from tracking.store import Store
from tracking.summary.summary import EXTREMES, STRIPS, log_summary

Status = Literal["FINISHED", "KILLED", "FAILED"]

#: The tag `state` of a run by its MLflow status.
STATES = {"FINISHED": "complete", "KILLED": "pruned", "FAILED": "failed"}


def to_toml(settings: Settings) -> str:
    """Write settings as a file that --config takes; passwords are left out."""
    return tomli_w.dumps(recorded(settings).model_dump(mode="json"))


@dataclass
class TrainingRecord:
    """The MLflow run of one training: what is measured goes in, what is known at the end comes out."""

    name: str
    store: Store
    run: Run
    settings: Settings
    folder: Path  # the training's own files; gone when the record is closed
    yardsticks: Mapping[str, Scores]
    preflight: Preflight | None = None
    curves: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    scores: Scores | None = None
    step: int = 0
    waiting: list[tuple[Mapping[str, float], int]] = field(default_factory=list)
    shortage: Mapping[str, Any] | None = None  # fields of model.training.memory.Shortage

    def measure(self, measurement: Measurement) -> None:
        """Write one measurement."""
        self.step = measurement.step
        self.write_values(measurement)
        for name, value in measurement.values.items():
            self.curves.setdefault(name, []).append((measurement.step, value))
        if measurement.scores is not None:
            self.scores = measurement.scores
        if measurement.picture is not None:
            self.run.picture(measurement.picture, STRIPS, measurement.step)
        if measurement.extremes is not None:
            self.run.picture(measurement.extremes, EXTREMES, measurement.step)

    def write_values(self, measurement: Measurement) -> None:
        """Write the values of a measurement; those before the first scores wait for these.

        MLflow lists a run's metrics in the order in which they came first, and compares runs by the first of them.
        """
        values = measurement.values
        if "score" not in self.curves:
            if measurement.scores is None:
                self.waiting.append((values, measurement.step))
                return
            first = measurement.scores.metrics()
            self.run.metrics(first, measurement.step)
            self.write_waiting()
            values = {name: value for name, value in values.items() if name not in first}
        self.run.metrics(values, measurement.step)

    def write_waiting(self) -> None:
        """Write the values that wait for the first scores."""
        for values, step in self.waiting:
            self.run.metrics(values, step)
        self.waiting.clear()

    def write_beginning(self, prepared: Preparation) -> None:
        """Write what is known before the first step: parameters, settings, what the preflight says of them, provenance."""
        self.run.parameters(flatten(recipe_of(self.settings)))
        self.run.text("conf.toml", to_toml(self.settings))
        if self.preflight is not None:
            self.run.json(PREFLIGHT, self.preflight.to_json())
        log_provenance(self.run, prepared.bank.facts["manifest"], prepared.bank.digest)

    def write_measured(self) -> None:
        """Write what only this process knows: the last evaluation and the rest of the curves."""
        self.write_waiting()
        if self.scores is not None:
            yardsticks = {name: scores.to_json() for name, scores in self.yardsticks.items()}
            self.run.json(EVALUATION, self.scores.to_json() | {"step": self.step, "yardsticks": yardsticks})
        if self.shortage is not None:
            self.run.json(SHORTAGE, self.shortage)
        self.run.flush()

    def write_conclusion(self, keep_checkpoint: bool, failure: str | None = None) -> Diagnosis:
        """Write what follows from the record and from the training's own files: the diagnosis, the checkpoint if wanted."""
        evidence = self.evidence(failure)
        diagnosis = diagnose(evidence)
        log_summary(self.name, diagnosis, evidence, self.store, self.run)
        log_diagnosis(diagnosis, evidence, self.run)
        if keep_checkpoint:
            move_checkpoint(self.store, self.run.id, self.folder / "checkpoint")
        return diagnosis

    def write_results(self, keep_checkpoint: bool, failure: str | None = None) -> Diagnosis:
        """Write evaluation, diagnosis and (if wanted) the checkpoint; the run stays open."""
        self.write_measured()
        return self.write_conclusion(keep_checkpoint, failure)

    def close(self, status: Status, failure: str | None = None, state: str | None = None) -> None:
        """End the run and remove the training's own files; `state` says what MLflow's status cannot."""
        self.run.tags({"state": state or STATES[status]} | ({"reason": failure} if failure else {}))
        shutil.rmtree(self.folder, ignore_errors=True)  # before the end: nobody looks for files of a run that has ended
        self.run.finish(status)

    def summary(self) -> str:
        """Say the last scores in one line."""
        assert self.scores is not None, "a training ends with an evaluation"
        return ", ".join(f"{name.removeprefix('val/')} {value:.4g}" for name, value in self.scores.metrics().items())

    def evidence(self, failure: str | None) -> Evidence:
        """Gather what the diagnosis may look at."""
        return replace(
            evidence_before(recipe_of(self.settings), self.yardsticks, self.preflight),
            curves=self.curves,
            evaluation=self.scores.to_json() if self.scores else None,
            failure=failure,
            shortage=self.shortage,
        )


def evidence_before(recipe: Recipe, yardsticks: Mapping[str, Scores], preflight: Preflight | None) -> Evidence:
    """What the diagnosis may look at before the first step."""
    return Evidence(
        settings=flatten(recipe),
        baselines={name: scores.to_json() for name, scores in yardsticks.items() if name != REFERENCE},
        reference=yardsticks[REFERENCE].to_json(),
        preflight=None if preflight is None else preflight.to_json(),
    )


def open_training_record(
    prepared: Preparation,
    settings: Settings,
    *,
    name: str,
    role: Literal["trial", "confirm", "full", "train"],
    parent: Run | None,
    tags: Mapping[str, str],
) -> TrainingRecord:
    """Open the run of one training and its folder, and nothing more: a worker may wait for it."""
    recipe = recipe_of(settings)
    own = {"identity": identity(recipe), "state": "running"} | forced_tag(prepared.forced)
    own[DESCRIPTION] = describe_training(role, recipe, tags)
    run = start_run(prepared.store, name, role, parent, own | dict(tags))
    folder = running_folder(prepared.store) / run.id
    folder.mkdir(parents=True)
    preflight = None if prepared.preflight is None else for_trial(prepared.preflight, recipe)
    return TrainingRecord(name, prepared.store, run, settings, folder, prepared.yardsticks, preflight)


def start_training_record(
    prepared: Preparation,
    settings: Settings,
    *,
    name: str,
    role: Literal["trial", "confirm", "full", "train"],
    parent: Run | None,
    tags: Mapping[str, str],
) -> TrainingRecord:
    """Open the run of one training with its parameters, settings and provenance."""
    record = open_training_record(prepared, settings, name=name, role=role, parent=parent, tags=tags)
    record.write_beginning(prepared)
    return record


def forced_tag(codes: Sequence[str]) -> dict[str, str]:
    """The tag of a run that a person began in spite of these findings; none without findings."""
    return {"forced": ", ".join(codes)} if codes else {}


def find_study_run(store: Store, study: str) -> Run:
    """The parent run of a study as it is, to write artifacts to: its state stays.

    Raises:
        ValueError: the record has none.
    """
    known = find_runs(store, role="study", study=study)
    if not known:
        raise ValueError(
            f"a study must have its run in {store.place}, but {study} has none; go on with it by python -m search.run first"
        )
    return Run(store, known[0].id)


def open_study_run(prepared: Preparation, settings: Settings, study: str) -> Run:
    """Reopen the parent run of a study, or start it with the study's settings, yardsticks and provenance."""
    known = find_runs(prepared.store, role="study", study=study)
    if known:
        return reopen_run(prepared.store, known[0].id)
    recipe = recipe_of(settings)
    tags = {
        "study": study,
        "state": "running",
        "identity": identity(recipe),
        DESCRIPTION: describe_study(study, recipe),
    }
    run = start_run(prepared.store, study, "study", None, tags)
    run.parameters(flatten(recorded(settings)))
    run.text("conf.toml", to_toml(settings))
    log_provenance(run, prepared.bank.facts["manifest"], prepared.bank.digest)
    run.json("yardsticks.json", {name: scores.to_json() for name, scores in prepared.yardsticks.items()})
    values: dict[str, float] = {}
    for name, scores in prepared.yardsticks.items():
        values |= {f"yardstick/{name}/{key.removeprefix('val/')}": value for key, value in scores.metrics().items()}
    run.metrics(values, 0)
    run.flush()
    return run
