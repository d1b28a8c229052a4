"""From evidence to a diagnosis."""

from collections.abc import Callable

from tracking.diagnosis.diagnose import diagnose, group_by_cause
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, Severity
from tracking.diagnosis.rules import RULES
from tracking.diagnosis.texts import finding

EvidenceOf = Callable[..., Evidence]


def test_a_sound_run_has_no_finding(evidence_of: EvidenceOf) -> None:
    diagnosis = diagnose(evidence_of())
    assert (diagnosis.findings, diagnosis.verdict) == ((), "ok")
    assert set(diagnosis.not_measured) == set(CODES) - set(RULES)


def test_the_failed_run_is_explained_by_its_data_path(failed_run: Evidence) -> None:
    diagnosis = diagnose(failed_run)
    first, *others = diagnosis.findings
    assert (first.code, diagnosis.verdict) == ("data.double_normalised", "error")
    assert first.confidence >= 0.9
    assert [consequence.code for consequence in first.consequences] == ["loss.metric_mismatch"]
    assert [(other.code, other.subject) for other in others] == [
        ("loss.inert", "decoder"),
        ("loss.inert", "perceptual"),
        ("loss.inert", "seraena"),
    ]
    # What the report of that run claimed was not measured, and is not claimed here.
    assert {"schedule.decayed_early", "gradient.always_clipped", "weights.frozen"} <= set(diagnosis.not_measured)


def test_consequences_stand_under_their_cause(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of(
        curves={"input/max": 1 / 255, "gradient/norm": 1e-9, "loss/reconstruction": 5e-6},
        evaluation={"psnr": 4.24, "clips": [], "output_std": 0.001},
    )
    (cause,) = diagnose(evidence).findings
    assert cause.code == "data.double_normalised"
    assert [consequence.code for consequence in cause.consequences] == [
        "loss.metric_mismatch",
        "gradient.vanishing",
        "output.collapsed",
        "score.below_trivial",
    ]


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
