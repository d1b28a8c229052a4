"""Evidence lines for who reads Chinese only."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.render.chinese_evidence import (
    LINES,
    PLACES,
    TRANSLATED_LINES,
    TRANSLATED_PLACES,
    in_chinese,
    translated,
)

EvidenceOf = Callable[..., Evidence]

SOURCES = Path(__file__).resolve().parents[4] / "tracking" / "diagnosis"

#: Words that a Chinese engineer reads as they are: metrics, units, formulas.
KEPT = {"PSNR", "RMS", "dB", "MiB", "L2", "log10", "sqrt", "exp", "ULP", "epsilon", "score", "min", "max"}

#: A word, or a name, which holds a slash, a dot, an underscore.
TOKEN = re.compile(r"[\w./]*[A-Za-z][\w./]*", re.ASCII)


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        (
            "training input: min = 0, max = 0.0039 (curve input/max)",
            "训练输入：最小值 = 0，最大值 = 0.0039（曲线 input/max）",
        ),
        (
            "target of the decoder loss: min = 0, max = 255 (preflight)",
            "decoder 损失的目标：最小值 = 0，最大值 = 255（预检）",
        ),
        ("PSNR = 4.24 dB (evaluation, pooled over clips)", "PSNR = 4.24 dB（评估，由各片段的平均误差算出）"),
        ("loss/seraena was never logged: 0 points (curves)", "loss/seraena 从未被记录：0 个点（曲线）"),
        ("losses.decoder = 1 (settings)", "losses.decoder = 1（设置）"),
        ("losses.decoder = 1 (args.decoder_loss_weight)", "losses.decoder = 1（args.decoder_loss_weight）"),
        (
            "learning rate < 0.01 * 5e-05 in 30% of the steps (tag train/lr)",
            "30% 的步的学习率 < 0.01 * 5e-05（标签 train/lr）",
        ),
        (
            "val/psnr = 4.00 dB < 15.70 dB of mean_colour (evaluation, same clips)",
            "val/psnr = 4.00 dB < 15.70 dB（平均色；评估，相同片段）",
        ),
        ("frame shift = 3 (preflight, target of the decoder loss)", "帧偏移 = 3（预检，decoder 损失的目标）"),
        ("a.mp4 = b.mp4: same source (preflight)", "a.mp4 = b.mp4：出自同一源视频（预检）"),
        (
            "2 tensors of the starting weights do not fit: encoder.0.weight: [8, 3] for [64, 3] (model.pth)",
            "初始权重中有 2 个张量对应不上：encoder.0.weight：形状为 [8, 3]，应为 [64, 3]（model.pth）",
        ),
    ],
)
def test_lines_are_translated_as_a_whole(english: str, chinese: str) -> None:
    assert in_chinese(english) == chinese


@pytest.mark.parametrize("text", ["CUDA error: out of memory", "a (b) c", "", "{share} of {x}"])
def test_words_of_others_stay(text: str) -> None:
    assert in_chinese(text) == text


def test_an_error_s_own_text_stays_inside_its_line() -> None:
    line = r"computing the loss raises RuntimeError: {curve} of \1 (4, 8) (preflight)"
    assert in_chinese(line) == r"计算该损失时报错：RuntimeError: {curve} of \1 (4, 8)（预检）"


def left(text: str) -> list[str]:
    """English words that are no names."""
    return [word for word in TOKEN.findall(text) if word.isalpha() and word not in KEPT]


def templates() -> Iterator[str]:
    """The texts of the rules' evidence with 0 for every value; names of curves and settings are none."""
    for path in (*sorted(SOURCES.glob("rules*.py")), SOURCES / "seen.py"):
        tree = ast.parse(path.read_text())
        formats = {node.format_spec for node in ast.walk(tree) if isinstance(node, ast.FormattedValue)}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr) and node not in formats:
                parts = (str(part.value) if isinstance(part, ast.Constant) else "0" for part in node.values)
                text = "".join(parts)
                if " " in text:
                    yield text


def test_every_template_of_the_rules_is_translated_as_a_whole() -> None:
    found = {text: translated(in_chinese(text), TRANSLATED_PLACES) for text in templates()}
    assert len(found) > 40
    assert {text: words for text, chinese in found.items() if (words := left(chinese))} == {}, "add a line to LINES"
    assert [text for text, chinese in found.items() if text == chinese] == []


def test_every_line_belongs_to_a_rule() -> None:
    missing = "0 tensors of the starting weights do not fit: 0: missing (0)"
    texts = [*templates(), "the loss was not computed (preflight)", missing, missing.replace("missing", "0 for 0")]
    fitting = [next((one for one in TRANSLATED_LINES if one.pattern.fullmatch(text)), None) for text in texts]
    unused = [english for (english, _), one in zip(LINES, TRANSLATED_LINES, strict=True) if one not in fitting]
    assert unused == []


@pytest.mark.parametrize(("english", "chinese"), [*LINES, *PLACES])
def test_a_translation_keeps_every_number_and_name(english: str, chinese: str) -> None:
    kept = re.compile(r"\{\w+\}|\w+/\w+_?\w*|log10\(\d+\)|[<>]=?")
    assert sorted(kept.findall(english)) == sorted(kept.findall(chinese))
    assert re.search(r"[\u4e00-\u9fff（]", chinese)
    assert not re.search(r"[\u4e00-\u9fff][,;:()]|[,;:][\u4e00-\u9fff]", chinese.replace("L2(", "").replace(") ", " "))


def test_real_evidence_is_translated(failed_run: Evidence, evidence_of: EvidenceOf) -> None:
    bad = evidence_of(
        curves={"gradient/norm": 1e-9, "critic/loss": 1.0, "weights/change": 1e-9, "output/saturated_share": 0.5},
        evaluation={"psnr": 14.0, "best_frame_shift": 3},
    )
    for evidence in (failed_run, bad):
        every = [one for finding in diagnose(evidence).findings for one in (finding, *finding.consequences)]
        assert len(every) > 4
        subjects = {one.subject for one in every}
        for one in every:
            words = [word for text in one.evidence for word in left(in_chinese(text)) if word not in subjects]
            assert words == []
