"""Scores against what they must beat."""

from collections.abc import Callable

import pytest

from model.evaluation.scores import METRICS
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.render.scores import (
    Comparison,
    comparisons,
    differences_db,
    outputs,
    shown,
    shown_bound,
    shown_usual,
)

EvidenceOf = Callable[..., Evidence]


def psnr(evidence: Evidence) -> Comparison:
    return next(one for one in comparisons(evidence) if one.metric.name == "val/psnr")


@pytest.mark.parametrize(
    ("value", "standing"), [(15.0, "far_off"), (15.7, "far_off"), (16.0, "below"), (21.9, "reached"), (30, "reached")]
)
def test_trivial_outputs_of_the_same_clips_decide(evidence_of: EvidenceOf, value: float, standing: str) -> None:
    one = psnr(evidence_of(evaluation={"psnr": value}))
    assert (one.constant, one.blurred, one.ceiling) == (("mean_colour", 15.7), 21.8, 27.7)
    assert one.standing == standing


def test_the_failed_run_is_far_from_what_is_usual(failed_run: Evidence) -> None:
    compared = {one.metric.name: one for one in comparisons(failed_run)}
    assert list(compared) == ["val/psnr", "val/ssim", "val/lpips", "val/overall"]
    assert {one.standing for one in compared.values()} == {"far_off"}


@pytest.mark.parametrize(
    ("scores", "standings"),
    [
        ({"psnr": 30.1, "ssim": 0.91, "lpips": 0.09}, ["reached", "reached", "reached", "not_measured"]),
        ({"psnr": 29.9, "ssim": 0.46, "lpips": 0.19}, ["below", "below", "below", "not_measured"]),
        ({"psnr": 14.9, "ssim": 0.44, "lpips": 0.21}, ["far_off", "far_off", "far_off", "not_measured"]),
    ],
)
def test_without_trivial_outputs_the_usual_decides(scores: dict, standings: list[str]) -> None:
    assert [one.standing for one in comparisons(Evidence(evaluation=scores))] == standings


def test_less_is_better_for_lpips() -> None:
    baselines = {"black": {"lpips": 0.8}, "grey": {"lpips": 0.7}, "average_8x8": {"lpips": 0.3}}
    evidence = Evidence(evaluation={"lpips": 0.5}, baselines=baselines)
    one = next(one for one in comparisons(evidence) if one.metric.name == "val/lpips")
    assert (one.constant, one.standing) == (("grey", 0.7), "below")
    assert shown_bound(one.metric, 0.7) == "< 0.700"


def test_what_lacks_is_not_measured(evidence_of: EvidenceOf) -> None:
    assert {one.standing for one in comparisons(Evidence())} == {"not_measured"}
    assert psnr(evidence_of(evaluation={"psnr": None})).standing == "not_measured"
    assert (outputs(Evidence()), differences_db(Evidence())) == ({}, {})


def test_differences_have_the_sign_of_the_run(evidence_of: EvidenceOf) -> None:
    differences = differences_db(evidence_of())
    assert list(differences) == ["black", "grey", "mean_colour", "average_8x8", "reference"]
    assert differences["average_8x8"] == pytest.approx(2.2)
    assert differences["reference"] == pytest.approx(-3.7)


def test_numbers_have_units_and_few_digits() -> None:
    assert shown(METRICS["val/psnr"], 24.123456789) == "24.12 dB"
    assert shown(METRICS["val/overall"], 4.1428571) == "4.1/100"
    assert shown(METRICS["val/ssim"], 0.0123456) == "0.012"
    assert shown_usual(METRICS["val/psnr"], 30.0) == "> 30 dB"
