"""The diagnosis for programs, against its schema."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, SEVERITIES
from tracking.diagnosis.render.as_json import to_json

EvidenceOf = Callable[..., Evidence]

SCHEMA = json.loads((Path(__file__).resolve().parents[4] / "docs" / "diagnosis.schema.json").read_text())


def written(evidence: Evidence) -> Any:
    """The diagnosis as a program reads it from the file."""
    return json.loads(json.dumps(to_json(diagnose(evidence)), allow_nan=False))


def validate(found: Any) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(found)


def test_the_schema_is_one_and_knows_every_code() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$defs"]["code"]["enum"] == list(CODES)
    assert SCHEMA["$defs"]["finding"]["properties"]["severity"]["enum"] == list(SEVERITIES)


def test_real_diagnoses_are_valid(failed_run: Evidence, evidence_of: EvidenceOf) -> None:
    broken = evidence_of(failure="losses must be finite", evaluation={"best_frame_shift": 3})
    for evidence in (failed_run, evidence_of(), broken, Evidence()):
        validate(written(evidence))


def test_the_failed_run_is_written_with_what_it_explains(failed_run: Evidence) -> None:
    found = written(failed_run)
    first = found["findings"][0]
    assert (first["code"], first["severity"], first["confidence"]) == ("data.double_normalised", "error", 0.9)
    assert first["consequences"][0]["code"] == "loss.metric_mismatch"
    assert found["failure"] is None
    assert "weights.frozen" in [one["code"] for one in found["findings"]]
    assert "data.leak" in found["not_measured"]


@pytest.mark.parametrize(
    "change",
    [
        lambda found: found.update(remark="x"),
        lambda found: found.pop("failure"),
        lambda found: found["not_measured"].append("data.unknown"),
        lambda found: found["findings"][0].update(code="data.unknown"),
        lambda found: found["findings"][0].update(confidence=90),
        lambda found: found["findings"][0]["consequences"][0].update(severity="grave"),
        lambda found: found["findings"][0]["consequences"][0].pop("evidence"),
    ],
)
def test_the_schema_refuses_what_is_no_diagnosis(failed_run: Evidence, change: Callable[[Any], object]) -> None:
    found = written(failed_run)
    change(found)
    with pytest.raises(jsonschema.ValidationError):
        validate(found)
