"""The page of a run: complete for a whole run, true for a poor one."""

import re
from collections.abc import Sequence
from html.parser import HTMLParser

import pytest

from tracking.diagnosis import Evidence, diagnose
from tracking.summary.page import to_html
from tracking.summary.pictures import Picture

STEPS = range(10, 1010, 10)
WHOLE = Evidence(
    settings={"training.steps": 1000, "optimizer.max_gradient_norm": 1.0},
    curves={
        name: [(step, 0.5 + step / 1000) for step in STEPS]
        for name in ("score", "val/psnr", "val/ssim", "val/flicker", "loss/encoder", "loss/total", "share/encoder")
    }
    | {name: [(step, 0.1) for step in STEPS] for name in ("gradient/norm", "gradient/clipped", "learning_rate")},
    evaluation={
        "score": 43.25,
        "psnr": 24.5,
        "ssim": 0.8,
        "flicker": 0.012,
        "clips": [{"name": f"clip {place}", "psnr": 20.0 + place} for place in range(8)],
    },
    baselines={"grey": {"psnr": 12.0}, "average_8x8": {"psnr": 21.0}},
    reference={"psnr": 30.0},
)
PICTURE = Picture(1000, "data:image/jpeg;base64,AAAA")


class Balanced(HTMLParser):
    """Raises where elements are not closed in their order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page(evidence: Evidence, strips: Sequence[Picture] = (), extremes: Sequence[Picture] = ()) -> str:
    text = to_html("trial 007", diagnose(evidence), evidence, strips, extremes)
    parser = Balanced()
    parser.feed(text)
    assert parser.open == []
    return text


def test_a_whole_run_has_every_part() -> None:
    text = page(WHOLE, [PICTURE], [PICTURE])
    captions = re.findall(r'<figure class="chart"><figcaption>([^<]+)<', text)
    assert captions == [
        "Score",
        "PSNR, dB",
        "SSIM",
        "Flicker",
        "Losses",
        "Share of the weighted total",
        "Gradient norm against the clip",
        "Share of clipped steps",
        "Learning rate",
        "8 clips by PSNR, dB",
    ]
    assert "clip 1 (dashed)" in text
    assert "reference 30 (dashed)" in text
    assert "1000 of 1000 steps, score 43.25." in text
    assert text.count("<img") == 2
    assert re.findall(r'<td>(worst|best)</td><td class="name">clip (\d)</td>', text) == [
        *(("worst", "0"), ("worst", "1"), ("worst", "2")),
        *(("best", "7"), ("best", "6"), ("best", "5")),
    ]


def test_nothing_is_asked_for_from_outside_and_nothing_runs() -> None:
    text = page(WHOLE, [PICTURE], [PICTURE])
    assert "<script" not in text
    assert not re.search(r"""(src|href)=["'](?!data:)|url\(|@import""", text)


def test_a_run_that_broke_off_says_so() -> None:
    text = page(Evidence(failure="the loss is nan at step <3>", curves={"loss/total": [(1, 2.0)]}))
    assert "It broke off: the loss is nan at step &lt;3&gt;." in text
    assert "1 steps, not scored." in text
    assert "This run has no evaluation." in text


def test_settings_of_foreign_runs_may_be_words() -> None:
    settings = {"training.steps": "<b>1000", "optimizer.max_gradient_norm": "none"}
    text = page(Evidence(settings=settings, curves={"gradient/norm": [(1, 2.0), (2, 2.0)]}))
    assert "2 of &lt;b&gt;1000 steps" in text
    assert "Gradient norm against the clip" in text
    assert "(dashed)" not in text


@pytest.mark.parametrize("evidence", [Evidence(), Evidence(evaluation={"psnr": 4.24})], ids=["nothing", "one number"])
def test_what_is_missing_is_said(evidence: Evidence) -> None:
    text = page(evidence)
    for what in ("curves", "pictures", "scores of single clips"):
        assert f"This run has no {what}." in text


def test_findings_stand_with_numbers_and_remedy() -> None:
    evidence = Evidence(curves={"loss/reconstruction": [(1, 5e-6)]}, evaluation={"psnr": 4.24})
    diagnosis = diagnose(evidence)
    text = page(evidence)
    assert diagnosis.findings
    assert f'<b class="{diagnosis.verdict}">' in text
    assert all(finding.evidence[0].split(" = ")[0] in text for finding in diagnosis.findings)
