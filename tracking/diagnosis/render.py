"""A diagnosis as a page for people and as JSON for programs."""

from dataclasses import asdict
from typing import Any

from tracking.diagnosis.findings import Diagnosis, Finding
from tracking.diagnosis.texts import WORDS, Language, remedy, title


def to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """All fields as plain values for diagnosis.json."""
    return asdict(diagnosis)


def to_markdown(diagnosis: Diagnosis, language: Language) -> str:
    """The diagnosis as a page, most fundamental cause first."""
    words = WORDS[language]
    lines = [f"# {words['heading']}", "", words[diagnosis.verdict], ""]
    if diagnosis.failure is not None:
        lines += [f"{words['failure']}: {diagnosis.failure}", ""]
    for number, finding in enumerate(diagnosis.findings, start=1):
        lines += section(number, finding, language)
    lines += [f"## {words['not_measured']}", ""]
    lines += [f"- `{code}` {title(code, language)}" for code in diagnosis.not_measured] or [words["nothing"]]
    return "\n".join(lines) + "\n"


def section(number: int, finding: Finding, language: Language) -> list[str]:
    """The lines of one finding with what it explains."""
    words = WORDS[language]
    lines = [
        f"## {number}. {title(finding.code, language, finding.subject)}",
        "",
        f"`{finding.code}` · {words[f'severity.{finding.severity}']} · {words['confidence']} {finding.confidence:.0%}",
        "",
        f"{words['evidence']}:",
        *(f"- {number}" for number in finding.evidence),
        "",
        f"{words['remedy']}: {remedy(finding.code, language, finding.subject)}",
        "",
    ]
    if finding.consequences:
        lines += [f"{words['consequences']}:"]
        for consequence in finding.consequences:
            numbers = "; ".join(consequence.evidence)
            lines += [f"- `{consequence.code}` {title(consequence.code, language, consequence.subject)} ({numbers})"]
        lines += [""]
    return lines
