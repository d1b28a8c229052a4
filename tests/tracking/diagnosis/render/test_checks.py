"""Checks that were found, passed, not measured."""

from collections.abc import Callable
from dataclasses import replace

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, Diagnosis
from tracking.diagnosis.render.checks import Found, found, new_evidence, outcome, passed
from tracking.diagnosis.texts import finding

EvidenceOf = Callable[..., Evidence]


def test_places_and_the_worst_severity_of_each_code() -> None:
    cause = replace(
        finding("data.double_normalised", "error", 0.9, ()),
        consequences=(finding("loss.dominates", "info", 0.5, (), "reconstruction"),),
    )
    others = [finding("loss.dominates", "warning", 0.5, (), name) for name in ("encoder", "decoder")]
    assert found(Diagnosis((cause, *others), (), "error")) == {
        "data.double_normalised": Found((1,), "error"),
        "loss.dominates": Found((1, 2, 3), "warning"),
    }


def test_every_check_is_in_one_state(failed_run: Evidence, evidence_of: EvidenceOf) -> None:
    for evidence in (failed_run, evidence_of(), Evidence()):
        diagnosis = diagnose(evidence)
        states = [*found(diagnosis), *passed(diagnosis), *diagnosis.not_measured]
        assert sorted(states) == sorted(CODES)
    assert "data.leak" not in passed(diagnose(Evidence()))


def test_only_evidence_that_the_cause_lacks_is_new() -> None:
    cause = finding("data.double_normalised", "error", 0.9, ("a", "b"))
    assert new_evidence(finding("loss.metric_mismatch", "error", 0.9, ("b", "c")), cause) == ["c"]


def test_ok_needs_enough_that_was_measured() -> None:
    half = (len(CODES) + 1) // 2
    assert outcome(Diagnosis((), CODES[half:], "ok")) == "ok"
    assert outcome(Diagnosis((), CODES[half - 1 :], "ok")) == "thin"
    assert outcome(Diagnosis((), CODES, "ok")) == "unknown"
    assert outcome(Diagnosis((), CODES[half - 1 :], "warning")) == "warning"
