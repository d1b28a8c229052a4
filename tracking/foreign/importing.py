"""A foreign run in the record, so that it stands beside ours."""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from model.evaluation.scores import score
from tracking.diagnosis import Diagnosis, Evidence
from tracking.diagnosis_files import log_diagnosis
from tracking.foreign.events import Curve
from tracking.query import find_runs
from tracking.run import DESCRIPTION, Run, start_run
from tracking.store import Store
from tracking.summary.summary import log_summary

#: The run's description.
WHAT_IT_IS = (
    "**A foreign run**, read from files that another program left. Parameters `foreign.*` are settings without a name here.\n\n"
    "Among its artifacts:\n- `summary.html`: its curves and scores\n- `diagnosis.md`: what is wrong, and what to set instead\n"
)

#: What MLflow does not allow in the name of a curve or of a parameter.
FORBIDDEN = re.compile(r"[^\w\-. :/]")


def import_run(store: Store, name: str, evidence: Evidence, others: Mapping[str, Any], diagnosis: Diagnosis) -> Run:
    """Write a foreign run as a finished run of the experiment.

    Args:
        store: the record.
        name: of the run; no other foreign run may have it.
        evidence: what was read of it.
        others: settings that have no name here.
        diagnosis: what was found.

    Raises:
        ValueError: a foreign run of that name is there.
    """
    if any(row.name == name and row.status != "FAILED" for row in find_runs(store, foreign="true")):
        raise ValueError(f"--import-as must be a new name, but the record has a foreign run '{name}'; choose another")
    tags = {"foreign": "true", "state": "running", DESCRIPTION: WHAT_IT_IS}
    run = start_run(store, name, "train", None, tags)
    try:
        run.parameters(dict(evidence.settings) | foreign_parameters(others))
        for step, values in by_step(allowed_names(evidence.curves)).items():
            run.metrics(values, step)
        run.metrics(final_scores(evidence), evidence.last_step())
        if evidence.evaluation is not None:
            yardsticks = dict(evidence.baselines) | ({"reference": evidence.reference} if evidence.reference else {})
            run.json("evaluation.json", dict(evidence.evaluation) | {"yardsticks": yardsticks})
        facts = [asdict(fact) for fact in evidence.checkpoints]
        run.json("foreign.json", {"checkpoints": facts, "origins": dict(evidence.origins)})
        log_summary(name, diagnosis, evidence, store, run)
        log_diagnosis(diagnosis, evidence, run)
    except BaseException:
        run.tags({"state": "failed"})
        run.finish("FAILED")
        raise
    run.tags({"state": "complete"})
    run.finish("FINISHED")
    return run


def foreign_parameters(others: Mapping[str, Any]) -> dict[str, str]:
    """Settings without a name here, apart from ours."""
    return dict(
        zip(allowed_names({f"foreign.{name}": None for name in others}), map(str, others.values()), strict=True)
    )


def allowed_names(curves: Mapping[str, Any]) -> dict[str, Any]:
    """The same values under names that MLflow takes; names that become equal are numbered."""
    allowed: dict[str, Any] = {}
    for name, value in curves.items():
        parts = FORBIDDEN.sub("_", name).split("/")
        plain = "/".join(part for part in parts if part not in ("", ".", ".."))
        number = 2
        unique = plain
        while unique in allowed:
            unique, number = f"{plain}_{number}", number + 1
        allowed[unique] = value
    return allowed


def by_step(curves: Mapping[str, Curve]) -> dict[int, dict[str, float]]:
    """All values of a step together, by step."""
    steps: dict[int, dict[str, float]] = {}
    for name, points in curves.items():
        for step, value in points:
            steps.setdefault(step, {})[name] = value
    return dict(sorted(steps.items()))


def final_scores(evidence: Evidence) -> dict[str, float]:
    """The scores of the evaluation by their names in the record, so that runs compare in one table."""
    scores = evidence.evaluation or {}
    values = {
        f"val/{name}": scores[name] for name in ("psnr", "ssim", "lpips", "overall") if scores.get(name) is not None
    }
    if "val/psnr" in values and "val/ssim" in values:
        values["score"] = score(values["val/psnr"], values["val/ssim"])
    return values
