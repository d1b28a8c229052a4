"""Evidence lines for who reads Chinese only."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.render.source_words import in_chinese

EvidenceOf = Callable[..., Evidence]

RULES = Path(__file__).resolve().parents[4] / "tracking" / "diagnosis"

#: Words that a Chinese engineer reads as they are: metrics, units, formats.
KEPT = {
    "PSNR",
    "SSIM",
    "LPIPS",
    "RMS",
    "Adam",
    "dB",
    "log",
    "sqrt",
    "std",
    "lr",
    "eps",
    "pca",
    "float",
    "bfloat",
    "L",
    "e",
}


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("input/max = 0.0039 (curve, greatest)", "input/max = 0.0039 (曲线, 最大值)"),
        ("PSNR = 4.24 dB (evaluation, pooled over clips)", "PSNR = 4.24 dB (评估, 各片段误差合并计算)"),
        ("loss/seraena: 0 points (curves)", "loss/seraena: 0 个点 (曲线)"),
        ("x < 0.01 * 5e-05 in 30% of the steps (curve, 99 points)", "x < 0.01 * 5e-05 占总步数的 30% (曲线, 99 个点)"),
        ("4 dB < 15.70 dB of mean_colour (evaluation, same clips)", "4 dB < 15.70 dB，后者为 平均色 (评估, 相同片段)"),
    ],
)
def test_words_are_translated(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


@pytest.mark.parametrize(
    "name",
    [
        "tag/curve.mean",
        "args.training_steps",
        "val/mean",
        "checkpoint-1000/model.pth",
        "steps/skipped",
        "weights/change",
    ],
)
def test_names_stay(name: str) -> None:
    assert in_chinese(f"{name} = 1") == f"{name} = 1"


def untranslated(evidence: str) -> list[str]:
    words = re.findall(r"[\w./-]*[A-Za-z][\w./-]*", re.sub(r"[\u4e00-\u9fff]", " ", in_chinese(evidence)))
    return [word for word in words if re.fullmatch(r"[A-Za-z]+", word) and word not in KEPT]


def templates() -> Iterator[str]:
    """The texts of the rules' evidence with 0 for every value."""
    for path in sorted(RULES.glob("rules*.py")):
        nodes = list(ast.walk(ast.parse(path.read_text())))
        formats = [node.format_spec for node in nodes if isinstance(node, ast.FormattedValue)]
        for node in nodes:
            if isinstance(node, ast.JoinedStr) and node not in formats:
                parts = (str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values)
                yield "".join(parts)


def test_the_rules_say_nothing_that_is_not_translated() -> None:
    left = {text: words for text in templates() if (words := untranslated(text))}
    assert left == {}, "add these words to PHRASES in source_words.py"


def test_real_evidence_is_translated(failed_run: Evidence, evidence_of: EvidenceOf) -> None:
    bad = evidence_of(
        curves={"gradient/norm": 1e-9, "critic/loss": 1.0}, evaluation={"psnr": 14.0, "best_frame_shift": 3}
    )
    for evidence in (failed_run, bad):
        findings = diagnose(evidence).findings
        assert findings
        for finding in findings:
            for one in (finding, *finding.consequences):
                assert [word for text in one.evidence for word in untranslated(text)] == []
