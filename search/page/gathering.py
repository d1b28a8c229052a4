"""From the two records to what the page shows: Optuna is read once, MLflow with one search and a few files."""

from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from shlex import join
from typing import Any

from optuna.trial import FrozenTrial, TrialState

from model.evaluation.strips import strip
from search.baselines import called
from search.opening import StudyRecord
from search.page.evidence import Counts, Curve, PageEvidence, PictureColumn, Shown
from search.page.importance import comparable, importances
from search.page.next_step import config_options, next_step
from search.page.pictures import MOST_STEPS, cut, read
from search.promotion.full_result import FullResult
from search.promotion.gate_record import GateRecord
from search.promotion.points import agreements, seed_values
from search.promotion.repeats import Repeat
from search.ranking import Row, best_row
from search.settings import Settings
from search.study import INTERRUPTED, TARGET, failures
from tracking.diagnosis import Diagnosis
from tracking.pictures import spread
from tracking.provenance import NOT_INSTALLED
from tracking.query import RunRow, children, history
from tracking.recorded import EVALUATION, artifact
from tracking.recorded_pictures import pictures_of
from tracking.store import Store, artifact_folder

#: Trials whose diagnoses are counted by code.
DIAGNOSED = 20
#: Trials in detail beside the baselines.
STORY = ("best", "median", "worst")


def gather(
    opened: StudyRecord,
    settings: Settings,
    rows: Sequence[Row],
    diagnosis: Diagnosis,
    repeats: Sequence[Repeat] = (),
    gate: GateRecord | None = None,
    full: FullResult | None = None,
) -> PageEvidence:
    """Read what the page shows.

    Args:
        opened: the study in both records.
        settings: of the study.
        rows: its finished trials, the best first.
        diagnosis: of the study.
        repeats: finished ones of all lengths.
        gate: the decision of its promotion, where one was made.
        full: what its registered full run came to, where there is one.

    Raises:
        RecordError: the record cannot be read.
        ValueError: an artifact is damaged.
    """
    store, trials = opened.prepared.store, opened.study.get_trials(deepcopy=False)
    runs = children(store, opened.parent.id)
    known = {name: run for run in runs for name in run.names}
    shown, among = choose(rows), comparable(opened.study)
    found = {each.row.number: known[each.row.run_id] for each in shown if each.row.run_id in known}
    best = [row for row in rows[:DIAGNOSED] if row.run_id in known]
    folder = artifact_folder(store, opened.parent.id)
    asked = int(opened.study.user_attrs.get(TARGET, 0))
    space = {name: kind for name, kind in settings.search.space.model_dump().items() if name != "schedule"}
    return PageEvidence(
        name=opened.study.study_name,
        rows=tuple(rows),
        counts=count(trials, asked),
        failures=failures(trials),
        yardsticks=opened.prepared.yardsticks,
        baselines=tuple(settings.search.baselines),
        curves={trial.number: curve_of(trial) for trial in trials},
        diagnosis=diagnosis,
        next_step=next_step(settings, rows, opened.prepared.yardsticks, folder, asked, gate, full),
        among=among,
        importances=importances(among) if among else {},
        space={name: (bounds[0], bounds[1]) for name, bounds in space.items()},
        verdicts={row.number: known[row.run_id].tags.get("diagnosis", "") for row in rows if row.run_id in known},
        shown=shown,
        clip_psnr={number: clips_of(store, run) for number, run in found.items()},
        shares={
            each.row.number: share_curves(store, found[each.row.number])
            for each in shown
            if each.label in STORY and each.row.number in found
        },
        pictures=picture_columns(opened, settings, shown, found),
        repeats=seed_values(repeats, settings.training.steps, "val/psnr"),
        frequent={row.number: codes_of(store, known[row.run_id]) for row in best},
        provenance=provenance_of(opened, settings),
        commands=commands_of(opened, settings, rows, folder),
        fidelity=tuple(agreements(rows, repeats, settings.training.steps, settings.training.seed)),
        gate=gate,
        full=full,
    )


def count(trials: Sequence[FrozenTrial], asked: int) -> Counts:
    """Count the trials by their state."""
    states = [trial.state for trial in trials]
    complete, pruned, failed = (
        states.count(state) for state in (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL)
    )
    interrupted = sum(INTERRUPTED in trial.user_attrs for trial in trials)
    running = len(states) - complete - pruned - failed
    return Counts(complete, pruned, failed - interrupted, interrupted, running, asked)


def curve_of(trial: FrozenTrial) -> Curve:
    """The score at every evaluation; Optuna has it, so MLflow need not be asked for 1000 curves."""
    return sorted((step, value) for step, value in trial.intermediate_values.items() if isfinite(value))


def choose(rows: Sequence[Row]) -> tuple[Shown, ...]:
    """Best, median and worst of the complete trials, and every baseline; one trial may have several parts."""
    scored = [row for row in rows if row.state == "COMPLETE" and "score" in row.metrics]
    if not scored:
        return ()
    # One trial is the best alone, two are the best and the worst: only a third has trials on both sides.
    places = {"best": 0, "median": len(scored) // 2, "worst": len(scored) - 1}
    story = STORY if len(scored) > 2 else ("best", "worst")[: len(scored)]
    parts = [Shown(label, scored[places[label]]) for label in story]
    return tuple(parts + [Shown(row.name, row) for row in scored if row.name])


def clips_of(store: Store, run: RunRow) -> dict[str, float]:
    """PSNR in dB by clip of a run's last evaluation."""
    content = artifact(store, run.id, EVALUATION)
    return {} if content is None else {clip["name"]: clip["psnr"] for clip in content["clips"]}


def share_curves(store: Store, run: RunRow) -> dict[str, Curve]:
    """What each loss contributes to the total and to the gradient, by step."""
    names = [name for name in run.metrics if name.startswith(("share/", "gradient_share/"))]
    return {name: history(store, run.id, name) for name in sorted(names)}


def codes_of(store: Store, run: RunRow) -> tuple[str, ...]:
    """Codes of the findings in a run's diagnosis; a run without a diagnosis has none."""
    content = artifact(store, run.id, "diagnosis.json")
    return () if content is None else tuple(dict.fromkeys(finding["code"] for finding in content["findings"]))


def picture_columns(
    opened: StudyRecord, settings: Settings, shown: Sequence[Shown], runs: dict[int, RunRow]
) -> tuple[PictureColumn, ...]:
    """Input, the reference's round trip, and what the shown trials made of the same frames by step."""
    bank, count = opened.prepared.bank, settings.evaluation.pictures
    if not count:
        return ()
    clips = bank.validation[:count]
    inputs, outputs, differences = cut(strip(clips, bank.validation_round_trip[:count], count), settings.data.crop_px)
    columns = [
        PictureColumn("input", {0: (inputs, None)}, "input"),
        PictureColumn("reference", {0: (outputs, differences)}),
    ]
    places = [*settings.search.baselines, "median", "best"]
    order = sorted((each for each in shown if each.label in places), key=lambda each: places.index(each.label))
    labels: dict[int, list[str]] = {}
    for each in order:
        labels.setdefault(each.row.number, []).append(called(each.label))
    for number, parts in labels.items():
        files = pictures_of(opened.prepared.store, runs[number].id, "validation") if number in runs else {}
        steps = {step: cut(read(files[step]), settings.data.crop_px)[1:] for step in spread(files, MOST_STEPS)}
        if steps:
            part = "best" if "best" in parts else ""
            columns.append(PictureColumn(f"{', '.join(parts)} (trial {number})", dict(steps), part))
    return tuple(columns)


def provenance_of(opened: StudyRecord, settings: Settings) -> tuple[tuple[str, str], ...]:
    """What made the study: code, machine, data, reference."""
    versions: dict[str, Any] = artifact(opened.prepared.store, opened.parent.id, "provenance/versions.json") or {}
    git, packages, facts = versions.get("git", {}), versions.get("packages", {}), opened.prepared.bank.facts
    clips = opened.prepared.bank
    lines = {
        "study": opened.study.study_name,
        "commit": (git.get("commit") or "unknown")
        + (" with changes (provenance/git.diff)" if git.get("dirty") else ""),
        "machine": ", ".join(versions.get("gpus") or [versions.get("cpu", "unknown")]),
        "packages": ", ".join(installed(packages)),
        "data": f"{settings.data.source}, digest {clips.digest}",
        "clips": f"{len(clips.training)} for training, {len(clips.validation)} for validation, of {settings.data.frames} frames",
        "reference": f"{settings.reference.source}, identity {facts['reference']['identity']}",
        "a trial": f"{settings.training.steps} steps of {settings.training.batch_size} clips, {settings.training.precision}",
        "LPIPS": settings.evaluation.lpips if opened.prepared.perceptual else "not available",
    }
    return tuple(lines.items())


def installed(packages: dict[str, str]) -> list[str]:
    """The packages that say most of a study, with their versions; MLflow comes whole or as mlflow-skinny."""
    named = ("torch", "optuna", "mlflow", "mlflow-skinny")
    return [f"{name} {packages[name]}" for name in named if packages.get(name, NOT_INSTALLED) != NOT_INSTALLED]


def commands_of(
    opened: StudyRecord, settings: Settings, rows: Sequence[Row], folder: Path
) -> tuple[tuple[str, str], ...]:
    """The commands that make the study, its best trial where there is one, and this page again."""
    options, asked = config_options(settings, folder / "conf.toml"), opened.study.user_attrs.get(TARGET)
    commands = {"the study": f"python -m search.run --trials {asked or len(opened.study.trials)} {options}"}
    if best_row(rows) is not None:
        commands["its best trial alone"] = join(["python", "-m", "search.train", "--config", str(folder / "best.toml")])
    return tuple((commands | {"this page": f"python -m search.report {options}"}).items())
