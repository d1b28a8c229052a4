"""A diagnosis as JSON for programs; docs/diagnosis.schema.json says what it looks like."""

from dataclasses import asdict
from typing import Any

from tracking.diagnosis.findings import Diagnosis


def to_json(diagnosis: Diagnosis) -> dict[str, Any]:
    """All fields as plain values for diagnosis.json."""
    return asdict(diagnosis)
