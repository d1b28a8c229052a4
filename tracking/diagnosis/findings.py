"""What a diagnosis consists of."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["error", "warning", "info"]
Verdict = Literal["ok", "warning", "error"]

#: Severities, the worst first.
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "info")

#: All codes in the order of causes: a fault of the data path outranks advice about weights or rates, however loud that is.
CODES = (
    "data.out_of_range",
    "data.double_normalised",
    "data.signed_range",
    "data.leak",
    "frames.misaligned",
    "reference.suspect",
    "weights.not_loaded",
    "memory.exhausted",
    "steps.skipped",
    "loss.inert",
    "gradient.vanishing",
    "weights.low_precision",
    "weights.frozen",
    "weights.final_is_initial",
    "score.overfitted",
    "loss.metric_mismatch",
    "schedule.warmup_too_long",
    "schedule.decayed_early",
    "loss.dominates",
    "seraena.inactive",
    "gradient.always_clipped",
    "output.collapsed",
    "output.saturated",
    "score.below_trivial",
    "search.edge_of_space",
    "search.noise_floor",
)

#: What a network shows that is fed, or compared with, the wrong pixels.
DATA_CONSEQUENCES = frozenset(
    {
        "frames.misaligned",
        "reference.suspect",
        "gradient.vanishing",
        "loss.metric_mismatch",
        "loss.dominates",
        "seraena.inactive",
        "gradient.always_clipped",
        "output.collapsed",
        "output.saturated",
        "score.below_trivial",
    }
)

#: What weights show that do not move.
STANDSTILL = frozenset({"weights.frozen", "weights.final_is_initial", "output.collapsed", "score.below_trivial"})

#: What a cause explains. These findings are listed under it and ask for no action of their own.
CONSEQUENCES: dict[str, frozenset[str]] = {
    "data.out_of_range": DATA_CONSEQUENCES,
    "data.double_normalised": DATA_CONSEQUENCES,
    "data.signed_range": DATA_CONSEQUENCES,
    "frames.misaligned": frozenset({"loss.metric_mismatch", "score.below_trivial"}),
    "reference.suspect": frozenset({"loss.dominates", "output.collapsed", "score.below_trivial"}),
    "weights.not_loaded": frozenset({"score.below_trivial"}),
    "weights.low_precision": STANDSTILL,
    "steps.skipped": STANDSTILL,
    "loss.inert": frozenset({"loss.dominates", "seraena.inactive", "gradient.vanishing"}),
    "gradient.vanishing": STANDSTILL | {"weights.low_precision"},
    "weights.frozen": STANDSTILL - {"weights.frozen"},
    "weights.final_is_initial": frozenset({"loss.metric_mismatch", "output.collapsed", "score.below_trivial"}),
    "score.overfitted": frozenset({"loss.metric_mismatch", "score.below_trivial"}),
    "schedule.warmup_too_long": frozenset({"output.collapsed", "score.below_trivial"}),
    "schedule.decayed_early": frozenset({"output.collapsed", "score.below_trivial"}),
    # Clipped so far down that Adam's epsilon outweighs what is left.
    "gradient.always_clipped": frozenset({"gradient.vanishing", "score.below_trivial"}),
    "output.collapsed": frozenset({"score.below_trivial"}),
    # A dead output, where outputs are clamped, takes the gradient from every loss that sees it.
    "output.saturated": frozenset({"loss.inert", "gradient.vanishing", "output.collapsed", "score.below_trivial"}),
}


@dataclass(frozen=True)
class Finding:
    """Something that is wrong with a run.

    `confidence` is in [0, 1]. `evidence` are numbers with their source, in notation that needs no translation. `subject` is
    what the finding is about where a code can be found several times, such as a loss. `consequences` are findings that
    this one explains.
    """

    code: str
    severity: Severity
    confidence: float
    evidence: tuple[str, ...]
    remedy: str
    subject: str = ""
    consequences: tuple["Finding", ...] = ()


@dataclass(frozen=True)
class Diagnosis:
    """Findings by the order of causes, the codes that could not be measured, and the worst severity as the verdict.

    `failure` says how the run broke off, if it did; such a run's verdict is "error" whatever was found.
    """

    findings: tuple[Finding, ...]
    not_measured: tuple[str, ...]
    verdict: Verdict
    failure: str | None = None
