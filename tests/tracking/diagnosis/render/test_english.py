"""The English page."""

from collections.abc import Callable
from dataclasses import replace

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.render.english import english_page

EvidenceOf = Callable[..., Evidence]


def page_of(evidence: Evidence) -> str:
    return english_page(diagnose(evidence), evidence)


def part(page: str, heading: str) -> str:
    """The text under a heading, up to the next of the same depth."""
    depth = heading.split()[0] + " "
    return page.split(f"\n{heading}\n", 1)[1].split(f"\n{depth}", 1)[0]


def test_the_failed_run_begins_with_its_cause(failed_run: Evidence) -> None:
    page = page_of(failed_run)
    verdict = page.splitlines()[2]
    assert verdict.startswith("**Verdict: error.** Frames are divided by 255 twice (confidence 90%).")
    assert verdict.endswith("4 more findings; 9 of 26 checks had what they need.")
    first = part(page, "### 1. Frames are divided by 255 twice")
    assert "48.8 dB" in first
    assert "- `loss.metric_mismatch` (error; same numbers)" in first
    assert "- `loss.dominates` (warning): One loss decides nearly alone: encoder" in first
    critic = part(page, "### 4. A loss has a weight but no effect: seraena")
    assert "Now: `losses.seraena = 0.3 (args.seraena_loss_weight)`" in critic
    open_checks = part(page, "## Not measured, so not known to be fine")
    assert "`data.leak`" in open_checks
    assert "`weights.frozen`" not in open_checks
    assert "`data.double_normalised`" not in open_checks


def test_scores_stand_above_what_they_must_beat(evidence_of: EvidenceOf) -> None:
    evidence = evidence_of(evaluation={"ssim": 0.8, "intervals": {"val/psnr": [23.111, 24.999]}})
    scores = part(page_of(evidence), "## Scores")
    assert "| **this run** | **24.00 dB** (95 %: 23.11 to 25.00) | **0.800** |" in scores
    assert "| must beat: 8x8 average | 21.80 dB | not measured |" in scores
    assert "| ceiling: reference round trip | 27.70 dB |" in scores
    assert "+2.20 dB against 8x8 average, -3.70 dB against the reference" in scores
    assert "Not measured: LPIPS, Overall." in scores
    assert "| LPIPS" not in scores


def test_unknown_rivals_are_called_unknown(failed_run: Evidence, evidence_of: EvidenceOf) -> None:
    scores = part(page_of(failed_run), "## Scores")
    assert "is not known" in scores
    assert "PSNR > 30 dB, SSIM > 0.9, LPIPS < 0.1, Overall > 70/100" in scores
    assert "must beat" not in scores
    assert "The run has no evaluation." in page_of(replace(evidence_of(), evaluation=None))
    assert "## Scores" not in page_of(Evidence())


def test_a_sound_run_lists_what_was_looked_for(evidence_of: EvidenceOf) -> None:
    page = page_of(evidence_of())
    assert page.splitlines()[2].startswith("**Verdict: ok.** 21 of 26 checks")
    assert "## Findings" not in page
    assert "`data.double_normalised`" in part(page, "## Looked for and not found")


def test_nothing_known_is_not_called_fine() -> None:
    page = page_of(Evidence())
    assert page.splitlines()[2].startswith("**Verdict: none, because nothing could be measured.**")
    for heading, expected in (
        ("## Not measured, so not known to be fine", True),
        ("## Looked for and not found", False),
    ):
        assert ("`data.double_normalised`" in page.split(heading, 1)[-1].split("\n## ")[0]) is expected


def test_little_measured_is_not_called_ok() -> None:
    thin = page_of(Evidence(settings={"schedule.kind": "cosine", "schedule.warmup_share": 0.1}))
    verdict = thin.splitlines()[2]
    assert verdict == "**Verdict: nothing found, but little was looked at.** 1 of 26 checks had what they need."


def test_a_run_that_broke_off_shows_its_error(evidence_of: EvidenceOf) -> None:
    page = page_of(evidence_of(failure="losses must be finite"))
    assert page.splitlines()[2].startswith("**Verdict: error.** The run broke off before its end.")
    assert "```text\nlosses must be finite\n```" in page
