from dataclasses import replace

import pytest

from search.page.evidence import PageEvidence
from search.page.sections.promotion import section
from search.promotion.comparison import Difference
from search.promotion.estimate import Estimate
from search.promotion.full_result import FullResult
from search.promotion.gate_record import GateRecord


@pytest.fixture
def gate() -> GateRecord:
    lead = Difference(mean=2.0, seed_interval=(1.0, 3.0), clip_interval=(1.0, 3.0), psnr_db=1.5)
    estimates = {"val/psnr": Estimate(100_000, 30.0, 28.0, 32.0), "val/lpips": Estimate(100_000, 0.07, 0.02, 0.11)}
    return GateRecord(5, "trial 4 seed_new", lead, (), False, estimates, ("trial 6: its diagnosis has an error",))


def test_without_a_promotion_that_is_said(evidence: PageEvidence) -> None:
    assert "Nothing was promoted yet" in section(evidence)


def test_estimates_and_who_was_passed_over_are_shown_before_the_full_run(
    evidence: PageEvidence, gate: GateRecord
) -> None:
    text = section(replace(evidence, gate=gate))
    assert "Passed over, trial 6: its diagnosis has an error." in text
    assert "<td>val/psnr</td><td>30</td><td>28 to 32</td><td>100000</td></tr>" in text
    assert "bounds of 95 % for one more training" in text
    assert "came" not in text


def test_where_nothing_could_be_estimated_no_bounds_are_explained(evidence: PageEvidence, gate: GateRecord) -> None:
    assert "bounds" not in section(replace(evidence, gate=replace(gate, estimates={})))


def test_what_came_stands_beside_what_was_expected(evidence: PageEvidence, gate: GateRecord) -> None:
    full = FullResult("full trial 5", 72_000, {"val/psnr": 27.5}, {"val/psnr": "below"}, "taehv version 1")
    text = section(replace(evidence, gate=gate, full=full))
    assert "<td>val/psnr</td><td>30</td><td>28 to 32</td><td>100000</td><td>27.5, below</td></tr>" in text
    assert "<td>val/lpips</td><td>0.07</td><td>0.02 to 0.11</td><td>100000</td><td>not measured</td></tr>" in text
