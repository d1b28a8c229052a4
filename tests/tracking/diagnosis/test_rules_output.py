"""Faults of what comes out."""

from collections.abc import Callable

import pytest

from tracking.diagnosis import rules_output
from tracking.diagnosis.evidence import Evidence

EvidenceOf = Callable[..., Evidence]


@pytest.mark.parametrize(
    ("std", "found"), [(0.25, []), (0.051, []), (0.049, ["output.collapsed"]), (0.0, ["output.collapsed"])]
)
def test_an_output_that_hardly_varies_has_collapsed(evidence_of: EvidenceOf, std: float, found: list[str]) -> None:
    findings = rules_output.collapsed_output(evidence_of(evaluation={"output_std": std, "target_std": 0.25}))
    assert [finding.code for finding in findings or ()] == found


@pytest.mark.parametrize(("share", "found"), [(0.0, []), (0.2, []), (0.5, ["output.saturated"])])
def test_an_output_at_its_bounds_is_saturated(evidence_of: EvidenceOf, share: float, found: list[str]) -> None:
    findings = rules_output.saturated_output(evidence_of(evaluation={"saturated_share": share}))
    assert [finding.code for finding in findings or ()] == found


@pytest.mark.parametrize(
    ("psnr", "severity", "baseline"),
    [(24.0, None, ""), (20.0, "info", "average_8x8"), (15.0, "error", "mean_colour"), (4.24, "error", "mean_colour")],
)
def test_an_output_is_compared_with_trivial_ones(
    evidence_of: EvidenceOf, psnr: float, severity: str | None, baseline: str
) -> None:
    findings = rules_output.below_trivial(evidence_of(evaluation={"psnr": psnr}))
    assert findings is not None
    assert [(finding.code, finding.severity) for finding in findings] == (
        [("score.below_trivial", severity)] if severity else []
    )
    assert all(baseline in finding.evidence[0] for finding in findings)


def test_what_is_missing_is_not_measured(evidence_of: EvidenceOf) -> None:
    nothing = evidence_of(evaluation={"output_std": None, "saturated_share": None}, baselines={})
    assert rules_output.collapsed_output(nothing) is None
    blind = evidence_of(evaluation={"saturated_share": None}, curves={"output/saturated_share": None})
    assert rules_output.saturated_output(blind) is None
    assert rules_output.below_trivial(nothing) is None
