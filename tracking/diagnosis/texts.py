"""Findings and their words in the languages of a diagnosis."""

from typing import Literal

from tracking.diagnosis import text_chinese, text_english
from tracking.diagnosis.findings import Finding, Severity

Language = Literal["en", "zh"]

FINDINGS = {"en": text_english.FINDINGS, "zh": text_chinese.FINDINGS}
WORDS = {"en": text_english.WORDS, "zh": text_chinese.WORDS}

#: What stands between a title and its subject.
COLON = {"en": ": ", "zh": "："}


def title(code: str, language: Language, subject: str = "") -> str:
    """What a code means, and for which subject."""
    return FINDINGS[language][code][0] + (f"{COLON[language]}{subject}" if subject else "")


def remedy(code: str, language: Language, subject: str = "") -> str:
    """What to do about it."""
    return FINDINGS[language][code][1].format(subject=subject)


def finding(code: str, severity: Severity, confidence: float, evidence: tuple[str, ...], subject: str = "") -> Finding:
    """A finding with the remedy of its code."""
    return Finding(code, severity, confidence, evidence, remedy(code, "en", subject), subject)
