"""Faults of what enters the model and of what it is compared with."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from model.preflight.report import InputCheck, ReferenceCheck, SharedFile, TensorRange
from tracking.diagnosis import rules_data
from tracking.diagnosis.evidence import Evidence

EvidenceOf = Callable[..., Evidence]
BLIND = {"input/min": None, "input/max": None}


def codes(evidence: Evidence) -> dict[str, str]:
    """Codes that the rules of this file find, with their severity."""
    rules = (
        rules_data.out_of_range,
        rules_data.double_normalised,
        rules_data.signed_range,
        rules_data.misaligned,
        rules_data.suspect_reference,
        rules_data.metric_mismatch,
    )
    return {finding.code: finding.severity for rule in rules for finding in rule(evidence) or ()}


@pytest.mark.parametrize(
    ("low", "high", "found"),
    [
        (0.0, 1.0, {}),
        (0.02, 0.98, {}),
        (-0.005, 1.008, {}),  # rounding of a resize
        (0.0, 1 / 255, {"data.double_normalised": "error"}),
        (-1.0, 1.0, {"data.signed_range": "error"}),
        (-0.97, 0.99, {"data.signed_range": "error"}),
        (0.0, 255.0, {"data.out_of_range": "error"}),
        (0.0, 2.0, {"data.out_of_range": "error"}),
        (-2.1, 2.6, {"data.out_of_range": "error"}),  # normalised by ImageNet's mean and deviation
        (-127.5, 127.5, {"data.out_of_range": "error"}),
        (-1 / 255, 1 / 255, {"data.double_normalised": "error"}),
        (-0.5, 0.01, {"data.signed_range": "error"}),  # a dark batch of signed frames
    ],
)
def test_the_range_of_the_input_tells_the_fault(
    evidence_of: EvidenceOf, low: float, high: float, found: dict[str, str]
) -> None:
    assert codes(evidence_of(curves={"input/min": low, "input/max": high})) == found


def test_one_bad_batch_is_enough(evidence_of: EvidenceOf) -> None:
    highest = [(step, 255.0 if step == 500 else 1.0) for step in range(10, 1001, 10)]
    assert codes(evidence_of(curves={"input/max": highest})) == {"data.out_of_range": "error"}


@pytest.mark.parametrize(
    ("gap_db", "found"),
    [
        (0.0, {}),
        (4.0, {}),
        (-4.0, {}),
        (6.02, {"data.signed_range": "warning", "loss.metric_mismatch": "warning"}),
        (-6.02, {"data.signed_range": "warning"}),
        (8.0, {"loss.metric_mismatch": "warning"}),
        (-8.0, {}),  # easier clips, averaged weights
        (15.0, {"loss.metric_mismatch": "error"}),
        (-15.0, {"loss.metric_mismatch": "error"}),
        (48.13, {"data.double_normalised": "error", "loss.metric_mismatch": "error"}),
        (46.5, {"data.double_normalised": "error", "loss.metric_mismatch": "error"}),
        (45.0, {"loss.metric_mismatch": "error"}),
    ],
)
def test_without_the_input_the_gap_between_loss_and_score_tells_it(
    evidence_of: EvidenceOf, gap_db: float, found: dict[str, str]
) -> None:
    loss = 10 ** (-(10.0 + gap_db) / 10)
    evidence = evidence_of(curves=BLIND | {"loss/reconstruction": loss}, evaluation={"psnr": 10.0, "clips": []})
    assert codes(evidence) == found


def test_an_input_that_is_right_acquits_the_data_path(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of(curves={"loss/reconstruction": 5e-6}, evaluation={"psnr": 4.24, "clips": []})
    assert codes(evidence) == {"loss.metric_mismatch": "error"}


def test_both_signs_together_leave_no_doubt(evidence_of: EvidenceOf) -> None:
    loss, score = {"loss/reconstruction": 5e-6}, {"psnr": 4.24, "clips": []}
    both = rules_data.double_normalised(evidence_of(curves=loss | {"input/max": 0.0039}, evaluation=score))
    one = rules_data.double_normalised(evidence_of(curves={"input/max": 0.0039}))
    other = rules_data.double_normalised(evidence_of(curves=loss | BLIND, evaluation=score))
    assert both
    assert one
    assert other
    assert both[0].confidence > one[0].confidence > other[0].confidence
    assert "training input: min = 0, max = 0.0039 (curve input/max)" in both[0].evidence
    assert (
        "training - evaluation: gap = 53.0 - 4.24 = 48.8 dB; 20·log10(255) = 48.1, 20·log10(2) = 6.0"
        in both[0].evidence
    )


def test_the_gap_compares_pooled_errors(failed_run: Evidence, evidence_of: EvidenceOf) -> None:
    gap = rules_data.gap_of(failed_run)
    assert gap is not None
    assert gap.implied == pytest.approx(-10 * math.log10(5e-6))
    assert gap.measured == pytest.approx(4.24)
    # Clips of 20 and 40 dB have errors of 0.01 and 0.0001, whose mean is 22.97 dB and not 30.
    clips = [{"psnr": 20.0}, {"psnr": 40.0}]
    gap = rules_data.gap_of(evidence_of(evaluation={"psnr": 30.0, "clips": clips}))
    assert gap is not None
    assert gap.measured == pytest.approx(-10 * math.log10(0.00505))


@pytest.mark.parametrize(
    ("shift", "found"), [(0, {}), (3, {"frames.misaligned": "error"}), (-1, {"frames.misaligned": "error"})]
)
def test_an_output_that_fits_other_frames_is_misaligned(
    evidence_of: EvidenceOf, shift: int, found: dict[str, str]
) -> None:
    assert codes(evidence_of(evaluation={"best_frame_shift": shift})) == found


@pytest.mark.parametrize(
    ("source", "psnr", "found"),
    [
        ("taehv:a.pth", 25.0, {}),
        ("taehv:a.pth", 24.9, {"reference.suspect": "warning"}),
        ("pca", 22.0, {}),  # above the 8x8 average of 21.8 dB: the clips are hard, the reference is sound
        ("pca", 21.0, {"reference.suspect": "warning"}),
    ],
)
def test_a_poor_reference_is_suspect(evidence_of: EvidenceOf, source: str, psnr: float, found: dict[str, str]) -> None:
    assert codes(evidence_of({"reference.source": source}, reference={"psnr": psnr})) == found


def test_what_is_missing_is_not_measured(evidence_of: EvidenceOf) -> None:
    nothing: dict[str, Any] = {"curves": BLIND | {"loss/reconstruction": None}, "reference": None}
    evidence = evidence_of(evaluation={"best_frame_shift": None}, **nothing)
    assert rules_data.out_of_range(evidence) is None
    assert rules_data.double_normalised(evidence) is None
    assert rules_data.signed_range(evidence) is None
    assert rules_data.misaligned(evidence) is None
    assert rules_data.suspect_reference(evidence) is None
    assert rules_data.metric_mismatch(evidence) is None


def test_the_preflight_sees_training_evaluation_and_targets(preflight_of: Callable[..., dict[str, Any]]) -> None:
    double, signed, whole = (
        InputCheck(TensorRange(0, 0.0039, 0.002, 0.001), 1.9),
        InputCheck(TensorRange(-1, 1, 0, 0.5), 2.0),
        InputCheck(TensorRange(0, 255, 115, 64), 500.0),
    )
    target = {name: dict(loss) for name, loss in preflight_of()["losses"].items()}
    scaled = {"minimum": 0.0, "maximum": 0.0039, "mean": 0.002, "std": 0.001}
    target["decoder"]["target"] = {"frame_shift": 0, "range": scaled, "misdirection": 0.0}
    assert codes(Evidence(preflight=preflight_of(training_input=double))) == {"data.double_normalised": "error"}
    assert codes(Evidence(preflight=preflight_of(evaluation_input=double))) == {"data.double_normalised": "error"}
    assert codes(Evidence(preflight=preflight_of() | {"losses": target})) == {"data.double_normalised": "error"}
    assert codes(Evidence(preflight=preflight_of(training_input=signed))) == {"data.signed_range": "error"}
    assert codes(Evidence(preflight=preflight_of(evaluation_input=whole))) == {"data.out_of_range": "error"}
    assert codes(Evidence(preflight=preflight_of())) == {}


def test_other_frames_than_the_stored_ones(preflight_of: Callable[..., dict[str, Any]]) -> None:
    flat = preflight_of(training_input=InputCheck(TensorRange(0.0, 0.4, 0.2, 0.1), 0.6))
    assert codes(Evidence(preflight=flat)) == {"data.out_of_range": "error"}


def test_targets_of_other_frames_are_misaligned(preflight_of: Callable[..., dict[str, Any]]) -> None:
    losses = {name: dict(loss) for name, loss in preflight_of()["losses"].items()}
    losses["reconstruction"]["target"] |= {"frame_shift": 3, "misdirection": 0.4}
    (finding,) = rules_data.misaligned(Evidence(preflight=preflight_of() | {"losses": losses})) or ()
    assert finding.evidence == ("frame shift = 3 (preflight, target of the reconstruction loss)",)


def test_targets_of_other_clips_are_misaligned(preflight_of: Callable[..., dict[str, Any]]) -> None:
    losses = {name: dict(loss) for name, loss in preflight_of()["losses"].items()}
    losses["decoder"]["target"] |= {"frame_shift": None, "misdirection": 0.7}
    (finding,) = rules_data.misaligned(Evidence(preflight=preflight_of() | {"losses": losses})) or ()
    assert "the decoder loss and the way to its frames = 0.70" in finding.evidence[0]


def test_files_on_both_sides_are_a_leak(preflight_of: Callable[..., dict[str, Any]]) -> None:
    shared = tuple(SharedFile(f"a{index}.mp4", f"b{index}.mp4", "equal content") for index in range(20))
    (finding,) = rules_data.leaked(Evidence(preflight=preflight_of(shared=shared, num_shared=40))) or ()
    assert finding.evidence[:2] == (
        "files on both sides of the split = 40 (preflight)",
        "a0.mp4 = b0.mp4: equal content (preflight)",
    )
    assert len(finding.evidence) == 4
    assert rules_data.leaked(Evidence(preflight=preflight_of())) == []
    assert rules_data.leaked(Evidence()) is None


@pytest.mark.parametrize(("difference", "std", "found"), [(0.03, 1.0, {}), (1.41, 1.0, {"reference.suspect": "error"})])
def test_latents_that_are_not_the_reference_s(
    preflight_of: Callable[..., dict[str, Any]], difference: float, std: float, found: dict[str, str]
) -> None:
    reference = ReferenceCheck(latent_mean=0.0, latent_std=std, repeat_difference=difference, frame_shift=0)
    assert codes(Evidence(preflight=preflight_of(reference=reference))) == found


def test_latents_on_another_scale_than_the_network_s(preflight_of: Callable[..., dict[str, Any]]) -> None:
    for std in (0.05, 8.0):
        reference = ReferenceCheck(latent_mean=0.0, latent_std=std, repeat_difference=0.0, frame_shift=0)
        assert codes(Evidence(preflight=preflight_of(reference=reference))) == {"reference.suspect": "error"}
