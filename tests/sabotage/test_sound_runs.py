"""Runs that nothing is wrong with raise no alarm; docs/diagnosis-recall.md has all ten."""

from pathlib import Path

import pytest

from tests.sabotage.faults import FAULTS
from tests.sabotage.runs import HEALTHY, HEALTHY_STEPS, train_and_diagnose
from tracking.diagnosis.findings import CODES


def test_there_are_enough_faults_and_all_codes_of_a_run() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 20
    # Memory that runs out is planted in a worker of a study (tests/search/test_faults.py): a training alone just ends. Clips
    # learned by heart take more than a training of seconds: tests/tracking/diagnosis/test_rules_output.py has real curves.
    elsewhere = {"memory.exhausted", "score.overfitted"}
    of_runs = {code for code in CODES if not code.startswith("search.")} - elsewhere
    assert {fault.code for fault in FAULTS} == of_runs


@pytest.mark.parametrize(
    "changes", [HEALTHY[0], *(pytest.param(each, marks=pytest.mark.long) for each in HEALTHY[3::3])], ids=" ".join
)
def test_a_sound_run_raises_no_alarm(changes: tuple[str, ...], folder: Path, cache_dir: Path) -> None:
    outcome = train_and_diagnose((*HEALTHY_STEPS, *changes, f"data.cache_dir={cache_dir}"), folder / "mlruns")
    assert outcome.errors() == [], [(one["code"], one["evidence"]) for one in outcome.findings]
