"""From evidence to a diagnosis."""

from collections.abc import Callable
from typing import Any

import pytest

from tracking.diagnosis.diagnose import diagnose, group_by_cause
from tracking.diagnosis.evidence import LOSSES, Evidence
from tracking.diagnosis.findings import Severity
from tracking.diagnosis.rates import rates_of
from tracking.diagnosis.texts import finding

EvidenceOf = Callable[..., Evidence]


def test_a_sound_run_has_no_finding(evidence_of: EvidenceOf, preflight_of: Callable[..., dict[str, Any]]) -> None:
    diagnosis = diagnose(evidence_of(preflight=preflight_of()))
    assert (diagnosis.findings, diagnosis.verdict) == ((), "ok")
    assert diagnosis.not_measured == ("score.overfitted", "search.edge_of_space", "search.noise_floor")


def test_the_failed_run_is_explained_by_its_data_path(failed_run: Evidence) -> None:
    """The run that this project exists for; docs/facts.md 5 and 9 hold the numbers."""
    diagnosis = diagnose(failed_run)
    first, *others = diagnosis.findings
    assert (first.code, diagnosis.verdict) == ("data.double_normalised", "error")
    assert first.confidence >= 0.9
    assert any("48.8 dB" in line and "48.1" in line for line in first.evidence)
    # What the report of that run blamed, small weights of the reconstruction, is listed under the cause and not beside it.
    assert [(one.code, one.subject) for one in first.consequences] == [
        ("loss.metric_mismatch", ""),
        ("loss.dominates", "encoder"),
    ]
    assert [(other.code, other.subject) for other in others] == [
        ("loss.inert", "decoder"),
        ("loss.inert", "perceptual"),
        ("loss.inert", "seraena"),
        ("weights.frozen", ""),
    ]
    # That the rate had died by step 80k is false: it was 58 % of its peak there.
    assert "schedule.decayed_early" not in [one.code for one in (*diagnosis.findings, *first.consequences)]
    assert "schedule.decayed_early" not in diagnosis.not_measured
    # What was not measured is not claimed, and not called fine.
    assert {"gradient.always_clipped", "data.leak", "frames.misaligned"} <= set(diagnosis.not_measured)


def test_equal_moments_say_what_drift_was_to_be_expected(failed_run: Evidence) -> None:
    """From 82k to 100k the rates sum to 0.193 and the walk is 5.4 % (docs/facts.md 9)."""
    (frozen,) = [one for one in diagnose(failed_run).findings if one.code == "weights.frozen"]
    assert frozen.severity == "warning"
    assert "58% of the peak" in frozen.evidence[1]
    assert "= 0.19% by weight decay alone" in frozen.evidence[2]
    assert "drift of 5.4%" in frozen.evidence[3]
    rates = rates_of(failed_run)
    assert rates is not None
    assert rates.total(82_000, 100_000) == pytest.approx(0.193, abs=0.001)
    assert rates.walk(82_000, 100_000) / 0.034912 == pytest.approx(0.054, abs=0.001)


def test_consequences_stand_under_their_cause(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of(
        curves={"input/max": 1 / 255, "gradient/norm": 1e-9, "loss/reconstruction": 5e-6},
        evaluation={"psnr": 4.24, "clips": [], "output_std": 0.001},
    )
    (cause,) = diagnose(evidence).findings
    assert cause.code == "data.double_normalised"
    assert [consequence.code for consequence in cause.consequences] == [
        "gradient.vanishing",
        "loss.metric_mismatch",
        "output.collapsed",
        "score.below_trivial",
    ]


def test_a_chain_of_causes_ends_at_the_first(evidence_of: EvidenceOf) -> None:
    """Skipped steps keep the weights where they are, and weights that stay draw no picture."""
    evidence = evidence_of(
        curves={
            "steps/skipped": 1.0,
            "weights/change": 0.0,
            "weights/identical_share": 1.0,
            "loss/reconstruction": 0.3,
        },
        evaluation={"psnr": 5.0, "clips": [], "output_std": 0.001},
    )
    (cause,) = diagnose(evidence).findings
    assert cause.code == "steps.skipped"
    assert [one.code for one in cause.consequences] == ["weights.frozen", "output.collapsed", "score.below_trivial"]


def test_a_dead_output_comes_before_the_losses_that_it_kills(evidence_of: EvidenceOf) -> None:
    dead = {f"gradient_share/{name}": 0.0 for name in LOSSES if name != "encoder"}
    (cause,) = diagnose(evidence_of(curves=dead, evaluation={"saturated_share": 1.0})).findings
    assert cause.code == "output.saturated"
    assert [one.subject for one in cause.consequences] == ["decoder", "reconstruction", "perceptual", "seraena"]
    # The encoder's loss never sees the output: that it is dead has another cause.
    silent = evidence_of(curves=dead | {"loss/encoder": None}, evaluation={"saturated_share": 1.0})
    assert {(one.code, one.subject) for one in diagnose(silent).findings} == {
        ("output.saturated", ""),
        ("loss.inert", "encoder"),
    }


def test_a_dead_network_is_not_blamed_on_its_losses(evidence_of: EvidenceOf) -> None:
    """A rate so high that no unit answers any more."""
    dead: dict[str, float] = {f"gradient_share/{name}": 0.0 for name in LOSSES}
    (cause,) = diagnose(evidence_of(curves=dead | {"gradient/norm": 0.0, "weights/change": 0.001})).findings
    assert cause.code == "gradient.vanishing"
    assert [one.code for one in cause.consequences] == ["weights.frozen"]


def test_causes_come_first_however_sure_the_others_are() -> None:
    found = [finding(code, "error", confidence, ()) for code, confidence in (("loss.inert", 0.99), ("data.leak", 0.5))]
    assert [one.code for one in group_by_cause(found)] == ["data.leak", "loss.inert"]


def test_a_mild_cause_does_not_hide_a_grave_finding() -> None:
    def grouped(severity: Severity) -> list[str]:
        found = [
            finding("schedule.decayed_early", "warning", 0.8, ()),
            finding("score.below_trivial", severity, 0.9, ()),
        ]
        return [one.code for one in group_by_cause(found)]

    assert grouped("warning") == ["schedule.decayed_early"]
    assert grouped("error") == ["schedule.decayed_early", "score.below_trivial"]


def test_an_inert_loss_explains_only_its_own_critic() -> None:
    def grouped(subject: str) -> int:
        found = [finding("loss.inert", "error", 0.9, (), subject), finding("seraena.inactive", "warning", 0.7, ())]
        return len(group_by_cause(found))

    assert (grouped("seraena"), grouped("perceptual")) == (1, 2)


def test_the_verdict_is_the_worst_severity(evidence_of: EvidenceOf) -> None:
    assert diagnose(evidence_of(evaluation={"psnr": 20.0})).verdict == "ok"  # a remark
    assert diagnose(evidence_of(settings={"schedule.warmup_share": 0.5})).verdict == "warning"
    assert diagnose(evidence_of(evaluation={"best_frame_shift": 3})).verdict == "error"


def test_a_run_that_broke_off_is_an_error(evidence_of: EvidenceOf) -> None:
    diagnosis = diagnose(evidence_of(failure="losses must be finite"))
    assert (diagnosis.findings, diagnosis.verdict, diagnosis.failure) == ((), "error", "losses must be finite")
