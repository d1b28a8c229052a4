"""From evidence to a diagnosis: apply the rules, order by cause, put consequences under their causes."""

from dataclasses import replace

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, CONSEQUENCES, SEVERITIES, Diagnosis, Finding, Verdict
from tracking.diagnosis.rules import RULES


def diagnose(evidence: Evidence) -> Diagnosis:
    """Say what is wrong with a run, why, and what could not be looked at."""
    results = {code: RULES[code](evidence) if code in RULES else None for code in CODES}
    found = [finding for findings in results.values() for finding in findings or ()]
    findings = group_by_cause(found)
    not_measured = tuple(code for code, findings in results.items() if findings is None)
    return Diagnosis(findings, not_measured, verdict_of(findings, evidence.failure), evidence.failure)


def group_by_cause(found: list[Finding]) -> tuple[Finding, ...]:
    """Order findings by cause and list what a cause explains under it, unless the consequence is the graver one."""
    ordered = sorted(found, key=lambda finding: (CODES.index(finding.code), -finding.confidence))
    groups: dict[int, list[Finding]] = {}
    for finding in ordered:
        groups.setdefault(ordered.index(root_of(finding, ordered)), []).append(finding)
    # A cause comes where the first of its consequences would stand, so that it is read before them.
    return tuple(
        replace(ordered[root], consequences=tuple(one for one in group if one is not ordered[root]))
        for root, group in groups.items()
    )


def root_of(finding: Finding, found: list[Finding]) -> Finding:
    """The finding at the end of the chain of causes; CONSEQUENCES has no circles."""
    cause = next((one for one in found if explains(one, finding)), None)
    return finding if cause is None else root_of(cause, found)


def explains(cause: Finding, finding: Finding) -> bool:
    """Whether a finding is a consequence of another: of a data fault, or of the same loss that is inert."""
    if finding.code not in CONSEQUENCES.get(cause.code, ()):
        return False
    if (cause.code, finding.code) == ("loss.inert", "seraena.inactive") and cause.subject != "seraena":
        return False
    if (cause.code, finding.code) == ("output.saturated", "loss.inert") and finding.subject == "encoder":
        return False  # the encoder's loss never sees the output
    return SEVERITIES.index(cause.severity) <= SEVERITIES.index(finding.severity)


def verdict_of(findings: tuple[Finding, ...], failure: str | None) -> Verdict:
    """The worst severity; remarks (info) are no reason to worry."""
    severities = {finding.severity for finding in findings}
    if failure is not None or "error" in severities:
        return "error"
    return "warning" if "warning" in severities else "ok"
