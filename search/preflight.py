"""The preflight of a command: measured, judged, printed, recorded, and obeyed unless the person says --force."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from model.preflight.preflight import run_preflight
from model.preflight.report import Preflight
from model.preflight.schedule import check_schedule
from model.ranks import ALONE, Ranks
from model.recipe import Recipe
from model.settings import change
from search.opening import OpenStudy
from search.preparation import Preparation
from search.record import TrainingRecord, evidence_before, forced_tag
from search.settings import Settings, recipe_of
from search.space import PLACES, changes
from tracking.diagnosis import Diagnosis, Evidence, diagnose
from tracking.diagnosis_files import log_diagnosis
from tracking.query import find_runs
from tracking.run import Run

Say = Callable[[str], None]


class PreflightRefusal(RuntimeError):  # noqa: N818 - it is a decision and no mistake of ours
    """The preflight found an error; the text names its codes and how to go on."""


def check_study(opened: OpenStudy, settings: Settings, say: Say, *, force: bool) -> OpenStudy:
    """Measure and judge before a study's next trial; what was measured goes into its run and its trials' diagnoses.

    Raises:
        PreflightRefusal: an error was found without `force`.
    """
    prepared, parent = opened.prepared, opened.parent
    recipe = typical_recipe(settings, prepared.perceptual is not None)
    report = measure(recipe, prepared, parent, say)
    evidence = evidence_before(recipe, prepared.yardsticks, report)
    diagnosis = judge(evidence, report, say)
    log_diagnosis(diagnosis, evidence, parent)
    forced = decide(diagnosis, force=force)
    parent.tags({"state": "running"} | forget_reason(opened) | forced_tag(forced))
    return replace(opened, prepared=replace(prepared, preflight=report, forced=forced))


def forget_reason(opened: OpenStudy) -> dict[str, str]:
    """Empty the reason that an earlier command stopped for, where there is one."""
    tags = find_runs(opened.prepared.store, role="study", study=opened.study.study_name)[0].tags
    return {"reason": ""} if "reason" in tags else {}


def check_run(
    record: TrainingRecord,
    prepared: Preparation,
    say: Say,
    *,
    force: bool,
    ranks: Ranks = ALONE,
    before: Sequence[str] = (),
) -> None:
    """Measure and judge before a single run's first step; what was measured goes into its record and diagnosis.

    The first of several ranks measures on a part of a batch, which is what it has the memory for. `before` names what the
    person has gone on with already.

    Raises:
        PreflightRefusal: an error was found without `force`.
    """
    recipe = recipe_of(record.settings)
    part = change(recipe, {"training.batch_size": recipe.training.batch_size // ranks.count})
    record.preflight = measure(part, prepared, record.run, say)
    evidence = evidence_before(recipe, prepared.yardsticks, record.preflight)
    codes = decide(judge(evidence, record.preflight, say), force=force)
    record.run.tags(forced_tag(tuple(dict.fromkeys((*before, *codes)))))


def measure(recipe: Recipe, prepared: Preparation, run: Run, say: Say) -> Preflight:
    """Run the preflight and keep what it measured with the run."""
    report = run_preflight(recipe, prepared.bank, prepared.perceptual, prepared.device, say)
    run.json("preflight.json", report.to_json())
    return report


def judge(evidence: Evidence, report: Preflight, say: Say) -> Diagnosis:
    """Diagnose what is known before the first step, and print a line per finding."""
    diagnosis = diagnose(evidence)
    for finding in diagnosis.findings:
        subject = f" ({finding.subject})" if finding.subject else ""
        say(f"preflight: {finding.severity} {finding.code}{subject}: {finding.evidence[0]}; {finding.remedy}")
    if not diagnosis.findings:
        say(f"preflight: ok, {report.seconds:.0f} s")
    return diagnosis


def decide(diagnosis: Diagnosis, *, force: bool) -> tuple[str, ...]:
    """Return the codes of the errors that are gone on with.

    Raises:
        PreflightRefusal: there are errors, and no `force`.
    """
    codes = tuple(dict.fromkeys(finding.code for finding in diagnosis.findings if finding.severity == "error"))
    if codes and not force:
        raise PreflightRefusal(
            f"a training must begin without an error, but the preflight found {', '.join(codes)}; mend what the lines above "
            "name, or go on anyway with --force"
        )
    return codes


def typical_recipe(settings: Settings, perceptual: bool) -> Recipe:
    """A recipe from the middle of the space: its trials have weights and rates of their own, and not those of conf.toml.

    The schedule is the one of the space that spends most steps below its peak.
    """
    recipe, space = recipe_of(settings), settings.search.space
    middle = {name: math.sqrt(math.prod(getattr(space, name))) for name in PLACES if name != "schedule"}
    if not perceptual:
        middle["perceptual"] = 0.0
    kinds = [change(recipe, changes(middle | {"schedule": kind})) for kind in space.schedule]
    return max(kinds, key=share_below_peak)


def share_below_peak(recipe: Recipe) -> float:
    """Share of the steps before the peak of the rate, or far below it afterwards."""
    schedule = check_schedule(recipe)
    return schedule.warmup_share + schedule.low_share
