"""Faults of what comes out."""

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from tracking.diagnosis import rules_output
from tracking.diagnosis.evidence import Evidence

BENCHMARKS = Path(__file__).resolve().parents[3] / "docs" / "benchmarks"

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


def curves_of(validation: list[float], training: list[float]) -> dict[str, list[tuple[int, float]]]:
    """An evaluation every 100 steps, and two points of the training in each such stretch."""
    return {
        "val/psnr": [(100 * (index + 1), value) for index, value in enumerate(validation)],
        "train/psnr": [(100 * index + offset, value) for index, value in enumerate(training) for offset in (50, 100)],
    }


@pytest.mark.parametrize(
    ("validation", "training", "found"),
    [
        # Figures of the real run that learned its clips by heart, thinned.
        ([27.3, 28.0, 28.13, 28.10, 28.04, 27.99], [25.9, 27.5, 28.15, 28.7, 28.9, 29.05], True),
        # The training falls as well: a critic's drift or a rate that is too high, and no memory of the clips.
        ([27.3, 28.0, 28.13, 28.10, 28.04, 27.99], [25.9, 27.5, 28.15, 28.1, 28.0, 27.9], False),
        # One lucky evaluation, or a fall that does not last, is scatter.
        ([27.3, 28.0, 28.13, 28.00, 28.04, 27.99], [25.9, 27.5, 28.15, 28.7, 28.9, 29.05], False),
        # Three that fall, by next to nothing.
        ([27.3, 28.0, 28.13, 28.12, 28.10, 28.08], [25.9, 27.5, 28.15, 28.7, 28.9, 29.05], False),
        ([27.3, 28.0, 28.13, 28.20, 28.25, 28.30], [25.9, 27.5, 28.15, 28.7, 28.9, 29.05], False),
    ],
)
def test_training_that_gains_while_validation_falls_has_learned_by_heart(
    validation: list[float], training: list[float], found: bool
) -> None:
    findings = rules_output.overfitted(Evidence(curves=curves_of(validation, training)))
    assert [one.code for one in findings or ()] == (["score.overfitted"] if found else [])
    assert findings is not None


@pytest.mark.parametrize(
    ("name", "steps"), [("h200-weak-pull-curve.csv", [36000, 38000, 40000]), ("h200-promotion-curve.csv", [])]
)
def test_of_two_recorded_runs_one_learned_by_heart_and_the_other_at_no_step(name: str, steps: list[int]) -> None:
    with (BENCHMARKS / name).open() as file:
        rows = [{column: float(value) for column, value in row.items()} for row in csv.DictReader(file)]
    found = []
    for end in range(1, len(rows) + 1):
        curves = {
            metric: [(int(row["step"]), row[column]) for row in rows[:end]]
            for metric, column in (("val/psnr", "psnr_db"), ("train/psnr", "training_psnr_db"))
        }
        if rules_output.overfitted(Evidence(curves=curves)):
            found.append(int(rows[end - 1]["step"]))
    assert found == steps


def test_what_was_learned_by_heart_is_told_with_the_best_step() -> None:
    validation, training = [27.3, 28.0, 28.13, 28.10, 28.04, 27.99], [25.9, 27.5, 28.15, 28.7, 28.9, 29.05]
    (found,) = rules_output.overfitted(Evidence(curves=curves_of(validation, training))) or ()
    assert found.evidence == (
        "val/psnr = 28.13 dB at step 300, 27.99 dB at step 600: 0.14 dB lost > 0.1 dB (curve)",
        "train/psnr = 28.15 dB by step 300, 29.05 dB by step 600: 0.90 dB gained > 0.3 dB (curve, medians)",
    )


@pytest.mark.parametrize(
    "curves",
    [
        {},
        curves_of([28.2, 28.1, 28.0], [27.0, 28.0, 29.0]),
        curves_of([28.2, 28.1, 28.0, 27.9], []),
        {"val/psnr": [(0, 5.0), (100, 4.0), (200, 3.0), (300, 2.0)], "train/psnr": [(100, 9.0), (300, 10.0)]},
    ],
    ids=["no curves", "too few evaluations", "no training curve", "nothing was trained before the best"],
)
def test_what_cannot_be_compared_is_not_called_learned(curves: dict[str, list[tuple[int, float]]]) -> None:
    assert rules_output.overfitted(Evidence(curves=curves)) is None
