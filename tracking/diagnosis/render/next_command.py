"""What to type next."""

from typing import Literal

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Diagnosis

#: Enough steps to see whether a fault is gone: a trial of a search has no more.
TRIAL_STEPS = 1000

#: Why the next command is typed: see whether the cure worked, search a wider space, confirm over fresh seeds, diagnose
#: the next run of a foreign training, give the diagnosis more to look at, begin after a preflight, compare with other runs.
Purpose = Literal["check_fix", "search_again", "confirm", "diagnose_again", "measure_more", "begin", "compare"]

DIAGNOSE_FILES = "python -m tracking.diagnose --checkpoints DIR --events DIR --evaluation FILE --config FILE"


def next_command(diagnosis: Diagnosis, evidence: Evidence) -> tuple[Purpose, str]:
    """The one command that brings most now."""
    codes = [finding.code for finding in diagnosis.findings]
    # A space is not widened, nor a seed changed, before an error is gone.
    concluded = evidence.study is not None and diagnosis.verdict != "error"
    if concluded and "search.edge_of_space" in codes:
        return "search_again", "python -m search.run --trials 50"
    if concluded and "search.noise_floor" in codes:
        return "confirm", "python -m search.promote --config conf.toml"
    if is_foreign(evidence):
        return ("diagnose_again" if diagnosis.verdict != "ok" else "measure_more"), DIAGNOSE_FILES
    if diagnosis.verdict != "ok":
        return "check_fix", train_command(evidence)
    if evidence.preflight is not None and not evidence.curves and evidence.study is None:
        return "begin", "python -m search.train"
    return "compare", "python -m tracking.ui"


def is_foreign(evidence: Evidence) -> bool:
    """Whether a run was not made by this project: its names stand elsewhere, or it has no settings at all."""
    return bool(evidence.origins) or not (evidence.settings or evidence.study or evidence.preflight)


def train_command(evidence: Evidence) -> str:
    """Train as briefly as shows whether a fault is gone."""
    return f"python -m search.train --set training.steps={trial_steps(evidence)}"


def trial_steps(evidence: Evidence) -> int:
    """The steps of a trial, or the run's own where it has fewer."""
    return min(TRIAL_STEPS, int(evidence.settings.get("training.steps") or TRIAL_STEPS))
