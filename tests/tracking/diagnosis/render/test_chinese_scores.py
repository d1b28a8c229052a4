"""The scores of the Chinese page."""

from collections.abc import Callable

from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.render.chinese_scores import full_check_lines, quick_check_lines, summary_lines

EvidenceOf = Callable[..., Evidence]


def test_the_failed_run_is_measured_by_what_is_usual(failed_run: Evidence) -> None:
    assert summary_lines(failed_run)[:6] == [
        "| 指标 | 实际值 | 期望值 | 状态 |",
        "|---|---|---|---|",
        "| **PSNR** | 4.24 dB | > 30 dB | ❌ **极差** |",
        "| **SSIM** | 0.012 | > 0.9 | ❌ **极差** |",
        "| **LPIPS** | 0.806 | < 0.1 | ❌ **极差** |",
        "| **Overall** | 4.1/100 | > 70/100 | ❌ **极差** |",
    ]
    assert {"- PSNR: > 10 dB", "- SSIM: > 0.2"} <= set(quick_check_lines(failed_run))
    assert any("纯灰色的画面也能超过" in line for line in quick_check_lines(failed_run))
    assert "- PSNR: > 30 dB" in full_check_lines(failed_run)


def test_the_same_clips_say_what_is_expected(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of(evaluation={"psnr": 20.0, "intervals": {"val/psnr": (19.0, 21.0)}})
    row = next(line for line in summary_lines(evidence) if "PSNR" in line)
    expected = "> 21.80 dB（8x8 平均），> 15.70 dB（平均色），上限 27.70 dB（参考模型）"
    assert row == f"| **PSNR** | 20.00 dB（95 %：19.00 至 21.00） | {expected} | ⚠️ **偏低** |"
    assert "8x8 平均 -1.80 dB" in summary_lines(evidence)[-1]
    assert "- PSNR: > 15.70 dB（平均色）" in quick_check_lines(evidence)
    assert not any("纯灰色" in line for line in quick_check_lines(evidence))
    assert f"- PSNR: {expected}" in full_check_lines(evidence)


def test_the_objective_stands_last(evidence_of: EvidenceOf) -> None:
    rows = [line for line in summary_lines(evidence_of(evaluation={"score": 55.5})) if line.startswith("| **")]
    assert [row.split("**")[1] for row in rows] == ["PSNR", "SSIM", "LPIPS", "Overall", "score"]


def test_a_foreign_run_is_not_told_our_command(failed_run: Evidence, evidence_of: EvidenceOf) -> None:
    foreign = Evidence(evaluation=failed_run.evaluation, origins={"losses.seraena": "args.seraena_loss_weight"})
    assert not any("python" in line for line in quick_check_lines(foreign))
    own = quick_check_lines(evidence_of({"training.steps": 210}))
    assert "    python -m search.train --set training.steps=210" in own
    assert own[0] == "### 快速验证（训练 210 步后）"


def test_a_value_without_anything_to_compare_with_is_still_measured() -> None:
    row = next(line for line in summary_lines(Evidence(evaluation={"score": 60.0})) if "score" in line)
    assert row == "| **score** | 60.00/100 | 未知 | ❓ 无从比较 |"
