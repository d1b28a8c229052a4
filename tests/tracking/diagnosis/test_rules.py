"""The table of rules."""

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES
from tracking.diagnosis.rules import RULES


def test_every_rule_stands_under_a_known_code_and_finds_only_that(failed_run: Evidence) -> None:
    assert set(RULES) <= set(CODES)
    for code, rule in RULES.items():
        assert {finding.code for finding in rule(failed_run) or ()} <= {code}


def test_without_evidence_nothing_is_measured_and_nothing_found() -> None:
    nothing = Evidence(settings={}, curves={}, evaluation=None, baselines={}, reference=None, failure=None)
    results = {code: rule(nothing) for code, rule in RULES.items()}
    assert set(results.values()) == {None}
