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
    grouped: list[Finding] = []
    for finding in ordered:
        place = next((place for place, cause in enumerate(grouped) if explains(cause, finding)), None)
        if place is None:
            grouped.append(finding)
        else:
            grouped[place] = replace(grouped[place], consequences=(*grouped[place].consequences, finding))
    return tuple(grouped)


def explains(cause: Finding, finding: Finding) -> bool:
    """Whether a finding is a consequence of another: of a data fault, or of the same loss that is inert."""
    if finding.code not in CONSEQUENCES.get(cause.code, ()):
        return False
    if cause.code == "loss.inert" and finding.code == "seraena.inactive" and cause.subject != "seraena":
        return False
    return SEVERITIES.index(cause.severity) <= SEVERITIES.index(finding.severity)


def verdict_of(findings: tuple[Finding, ...], failure: str | None) -> Verdict:
    """The worst severity; remarks (info) are no reason to worry."""
    severities = {finding.severity for finding in findings}
    if failure is not None or "error" in severities:
        return "error"
    return "warning" if "warning" in severities else "ok"
