"""Faults of the beginning and the end: weights that were not loaded, or are stored as they began."""

from collections.abc import Callable
from typing import Any

from model.preflight.report import StartCheck
from tracking.diagnosis import rules_start
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.stored import CheckpointFacts

EvidenceOf = Callable[..., Evidence]
PreflightOf = Callable[..., dict[str, Any]]
SCHEDULE = {"schedule.kind": "constant", "optimizer.learning_rate": 1e-4, "training.steps": 2000}


def stored(*facts: CheckpointFacts, **settings: Any) -> Evidence:
    return Evidence(settings=SCHEDULE | settings, checkpoints=facts)


def checkpoint(step: int, **more: Any) -> CheckpointFacts:
    return CheckpointFacts(f"checkpoint-{step}", step, std=0.03, **more)


def codes(findings: list[Any] | None) -> list[tuple[str, str]] | None:
    return None if findings is None else [(one.code, one.severity) for one in findings]


def test_a_start_that_differs_from_its_file_was_not_loaded(preflight_of: PreflightOf) -> None:
    def found(start: StartCheck | None) -> Any:
        return rules_start.not_loaded(Evidence(preflight=preflight_of(start=start)))

    assert found(None) == []
    assert found(StartCheck("a.pth", 0.0, 0, 128)) == []
    (finding,) = found(StartCheck("a.pth", 1.41, 128, 128))
    assert (finding.code, finding.severity) == ("weights.not_loaded", "error")
    assert "128 of 128 tensors" in finding.evidence[0]
    assert rules_start.not_loaded(Evidence()) is None


def test_keys_of_the_starting_weights_that_do_not_fit() -> None:
    bad = checkpoint(100, not_loaded=("encoder.0.weight: missing",))
    (finding,) = rules_start.not_loaded(stored(bad)) or ()
    assert "encoder.0.weight: missing" in finding.evidence[0]


def test_weights_beyond_the_reach_of_the_rate_began_elsewhere() -> None:
    """2000 steps of 1e-4 move a weight by 0.2 at most, 6.7 times the deviation of 0.03; 50 steps by 0.17 times."""
    assert rules_start.not_loaded(stored(checkpoint(2000, change_from_start=1.4))) == []
    assert rules_start.not_loaded(stored(checkpoint(50, change_from_start=0.15))) == []
    (finding,) = rules_start.not_loaded(stored(checkpoint(50, change_from_start=1.4))) or ()
    assert (finding.code, finding.severity) == ("weights.not_loaded", "error")


def test_what_is_stored_is_what_training_began_with(evidence_of: EvidenceOf) -> None:
    rule = rules_start.final_is_initial
    assert codes(rule(evidence_of(curves={"average/change": 0.0}))) == [("weights.final_is_initial", "error")]
    assert rule(evidence_of()) == []
    assert codes(rule(stored(checkpoint(2000, change_from_start=0.0)))) == [("weights.final_is_initial", "error")]
    assert codes(rule(stored(checkpoint(2000, change_from_start=0.005)))) == [("weights.final_is_initial", "warning")]
    assert rule(stored(checkpoint(10, change_from_start=0.0), checkpoint(2000, change_from_start=0.5))) == []
    assert rule(stored(checkpoint(2000))) is None


def test_a_batch_that_memory_does_not_hold_is_named_with_one_that_fits(evidence_of: EvidenceOf) -> None:
    rule = rules_start.exhausted_memory
    ran_out = {"batch_size": 16, "fitting": 4, "peak_mib": 61000.4, "limit_mib": 143771.0}
    (finding,) = rule(Evidence(shortage=ran_out)) or ()
    assert (finding.code, finding.severity) == ("memory.exhausted", "error")
    assert finding.evidence == (
        "training.batch_size = 16 needs more memory than the 143771 MiB of the device (training)",
        "training.batch_size = 4 fits, with 61000 MiB at most (tried)",
    )
    (finding,) = rule(Evidence(shortage=ran_out | {"peak_mib": None, "limit_mib": None})) or ()
    assert finding.evidence[1] == "training.batch_size = 4 fits (tried)"
    (finding,) = rule(Evidence(shortage=ran_out | {"fitting": None, "peak_mib": None})) or ()
    assert finding.evidence[1] == "no half of 16 fits, down to 1 (tried)"
    assert rule(evidence_of()) == []  # it was evaluated, so it came through
    assert rule(Evidence(failure="its worker ended with exit code -9")) is None
