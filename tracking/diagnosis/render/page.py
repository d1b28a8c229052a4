"""A diagnosis as a page of Markdown."""

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Diagnosis
from tracking.diagnosis.render.chinese import chinese_page
from tracking.diagnosis.render.english import english_page
from tracking.diagnosis.texts import Language

PAGES = {"en": english_page, "zh": chinese_page}


def to_markdown(diagnosis: Diagnosis, language: Language, evidence: Evidence) -> str:
    """Write the diagnosis for people, causes first; `evidence`, which it was made of, adds scores and settings."""
    return PAGES[language](diagnosis, evidence)
