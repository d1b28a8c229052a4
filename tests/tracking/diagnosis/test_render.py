"""The diagnosis as a page and as JSON."""

import json

import pytest

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, Diagnosis
from tracking.diagnosis.render import to_json, to_markdown
from tracking.diagnosis.texts import Language, finding, remedy, title


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_every_code_can_be_shown(language: Language, severity: str) -> None:
    findings = tuple(finding(code, severity, 0.75, ("a = 1 (curve)",), "perceptual") for code in CODES)
    page = to_markdown(Diagnosis(findings, CODES, "error", "it broke"), language)
    for code in CODES:
        assert f"`{code}`" in page
        assert title(code, language, "perceptual") in page
        assert remedy(code, language, "perceptual") in page
    assert page.count("- a = 1 (curve)") == len(CODES)
    assert "75%" in page
    assert "it broke" in page
    assert "{" not in page


@pytest.mark.parametrize(("language", "first"), [("en", "divided by 255 twice"), ("zh", "除以 255 两次")])
def test_the_page_of_the_failed_run_begins_with_the_cause(failed_run: Evidence, language: Language, first: str) -> None:
    page = to_markdown(diagnose(failed_run), language)
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert first in headings[0]
    assert "48.8 dB" in page
    assert page.index("`loss.metric_mismatch`") < page.index(headings[1])  # listed under its cause
    assert page.index(headings[-1]) < page.index("`data.leak`")  # among what was not measured


def test_json_holds_all_fields(failed_run: Evidence) -> None:
    found = json.loads(json.dumps(to_json(diagnose(failed_run))))
    assert set(found) == {"findings", "not_measured", "verdict", "failure"}
    first = found["findings"][0]
    assert (first["code"], first["severity"], first["confidence"]) == ("data.double_normalised", "error", 0.9)
    assert first["consequences"][0]["code"] == "loss.metric_mismatch"
    assert "data.leak" in found["not_measured"]
