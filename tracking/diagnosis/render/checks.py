"""Each check of a diagnosis as found, passed or not measured."""

from dataclasses import dataclass
from typing import Literal

from tracking.diagnosis.findings import CODES, SEVERITIES, Diagnosis, Finding, Severity

#: The verdict as a person may take it: "thin" and "unknown" are not said to be "ok".
Outcome = Literal["ok", "thin", "unknown", "warning", "error"]

#: Below this share of all checks, "ok" would be taken for more than it is; a run of ours has 23 of 25.
ENOUGH_CHECKS_SHARE = 0.5


@dataclass(frozen=True)
class Found:
    """Where a code was found: numbers of findings as the page counts them from 1, and the worst severity."""

    numbers: tuple[int, ...]
    severity: Severity


def found(diagnosis: Diagnosis) -> dict[str, Found]:
    """The codes that were found, as findings of their own or as consequences of one."""
    every: dict[str, list[tuple[int, Finding]]] = {}
    for number, finding in enumerate(diagnosis.findings, start=1):
        for one in (finding, *finding.consequences):
            every.setdefault(one.code, []).append((number, one))
    return {
        code: Found(
            tuple(dict.fromkeys(number for number, _ in places)),
            min((finding.severity for _, finding in places), key=SEVERITIES.index),
        )
        for code, places in every.items()
    }


def passed(diagnosis: Diagnosis) -> list[str]:
    """The codes that were looked for with what it takes, and not found."""
    known = found(diagnosis).keys() | set(diagnosis.not_measured)
    return [code for code in CODES if code not in known]


def num_measured(diagnosis: Diagnosis) -> int:
    """How many of the codes were looked for with what it takes."""
    return len(CODES) - len(diagnosis.not_measured)


def outcome(diagnosis: Diagnosis) -> Outcome:
    """The verdict, which is ok only where enough was measured."""
    if diagnosis.verdict != "ok":
        return diagnosis.verdict
    if num_measured(diagnosis) == 0:
        return "unknown"
    return "ok" if num_measured(diagnosis) >= ENOUGH_CHECKS_SHARE * len(CODES) else "thin"


def new_evidence(consequence: Finding, cause: Finding) -> list[str]:
    """The evidence of a consequence that its cause has not shown already."""
    return [line for line in consequence.evidence if line not in cause.evidence]
