"""What to type next."""

from typing import Literal

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Diagnosis

#: Enough steps to see whether a fault is gone: a trial of a search has no more.
TRIAL_STEPS = 1000

#: Why the next command is typed: see whether the cure worked, search a wider space, repeat with another seed, diagnose
#: the next run of a foreign training, begin after a preflight, compare with other runs.
Purpose = Literal["check_fix", "search_again", "other_seed", "diagnose_again", "begin", "compare"]


def next_command(diagnosis: Diagnosis, evidence: Evidence) -> tuple[Purpose, str]:
    """The one command that brings most now."""
    codes = [finding.code for finding in diagnosis.findings]
    if evidence.study is not None and "search.edge_of_space" in codes:
        return "search_again", "python -m search.run --trials 50"
    if evidence.study is not None and "search.noise_floor" in codes:
        return "other_seed", "python -m search.train --config best.toml --set training.seed=1"
    if evidence.origins:
        return (
            "diagnose_again",
            "python -m tracking.diagnose --checkpoints DIR --events DIR --evaluation FILE --config FILE",
        )
    if diagnosis.verdict != "ok":
        return "check_fix", train_command(evidence)
    if evidence.preflight is not None and not evidence.curves and evidence.study is None:
        return "begin", "python -m search.train"
    return "compare", "python -m tracking.ui"


def train_command(evidence: Evidence) -> str:
    """Train as briefly as shows whether a fault is gone."""
    return f"python -m search.train --set training.steps={trial_steps(evidence)}"


def trial_steps(evidence: Evidence) -> int:
    """The steps of a trial, or the run's own where it has fewer."""
    return min(TRIAL_STEPS, int(evidence.settings.get("training.steps") or TRIAL_STEPS))
