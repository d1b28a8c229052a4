"""Faults of weights and steps; docs/diagnosis-recall.md has all."""

from pathlib import Path

import pytest

from tests.sabotage.faults import Fault, one_of_each_code
from tests.sabotage.runs import sabotage


@pytest.mark.long
@pytest.mark.parametrize(
    "fault", one_of_each_code(("weights", "steps", "gradient", "schedule")), ids=lambda fault: fault.name
)
def test_a_planted_fault_is_the_first_finding(fault: Fault, folder: Path, cache_dir: Path) -> None:
    outcome = sabotage(fault, folder, cache_dir)
    assert outcome.failure is None
    assert outcome.first == fault.code, [(one["code"], one["severity"], one["evidence"]) for one in outcome.findings]
