"""The command to type next."""

import importlib.util
from collections.abc import Callable

import pytest

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Diagnosis
from tracking.diagnosis.render.next_command import next_command
from tracking.diagnosis.stored import StudyFacts
from tracking.diagnosis.texts import finding

EvidenceOf = Callable[..., Evidence]

STUDY = StudyFacts(best={}, space={}, num_trials=50)


@pytest.mark.parametrize(
    ("settings", "steps"), [({}, 1000), ({"training.steps": 210}, 210), ({"training.steps": 100000}, 1000)]
)
def test_a_fault_is_tried_again_briefly(evidence_of: EvidenceOf, settings: dict, steps: int) -> None:
    evidence = evidence_of(settings, evaluation={"best_frame_shift": 3})
    expected = ("check_fix", f"python -m search.train --set training.steps={steps}")
    assert next_command(diagnose(evidence), evidence) == expected


def test_a_sound_run_is_compared(evidence_of: EvidenceOf) -> None:
    assert next_command(diagnose(evidence_of()), evidence_of()) == ("compare", "python -m tracking.ui")


def test_a_sound_preflight_lets_the_training_begin() -> None:
    before = Evidence(preflight={"seconds": 3.0})
    diagnosis = Diagnosis((), (), "ok")
    assert next_command(diagnosis, before) == ("begin", "python -m search.train")
    after = Evidence(preflight={"seconds": 3.0}, curves={"loss/total": [(10, 0.5)]})
    assert next_command(diagnosis, after)[0] == "compare"


@pytest.mark.parametrize(
    ("code", "purpose", "module"),
    [("search.edge_of_space", "search_again", "search.run"), ("search.noise_floor", "confirm", "search.promote")],
)
def test_a_study_is_searched_or_confirmed_further(code: str, purpose: str, module: str) -> None:
    diagnosis = Diagnosis((finding(code, "warning", 0.8, ()),), (), "warning")
    chosen, command = next_command(diagnosis, Evidence(study=STUDY))
    assert chosen == purpose
    assert command.startswith(f"python -m {module} ")
    assert importlib.util.find_spec(module)


def test_a_foreign_run_is_diagnosed_again(failed_run: Evidence) -> None:
    purpose, command = next_command(diagnose(failed_run), failed_run)
    assert (purpose, command.split()[2]) == ("diagnose_again", "tracking.diagnose")
    # Checkpoints alone have no names of their own, and nothing of this project's either.
    weights = Evidence(checkpoints=failed_run.checkpoints)
    assert next_command(diagnose(weights), weights)[0] == "diagnose_again"


def test_who_has_shown_too_little_is_asked_for_more() -> None:
    assert next_command(diagnose(Evidence()), Evidence())[0] == "measure_more"


def test_an_error_is_repaired_before_a_space_is_widened() -> None:
    findings = (
        finding("data.double_normalised", "error", 0.9, ()),
        finding("search.edge_of_space", "warning", 0.6, ()),
    )
    assert next_command(Diagnosis(findings, (), "error"), Evidence(study=STUDY))[0] == "check_fix"
