"""Pages in both languages."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, Diagnosis
from tracking.diagnosis.render.markdown import inline
from tracking.diagnosis.render.page import to_markdown
from tracking.diagnosis.stored import StudyFacts
from tracking.diagnosis.texts import Language, finding, remedy, title

EvidenceOf = Callable[..., Evidence]


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("severity", ["error", "warning", "info"])
def test_every_code_can_be_shown(language: Language, severity: str) -> None:
    findings = tuple(finding(code, severity, 0.75, ("a = 1",), "perceptual") for code in CODES)
    page = to_markdown(Diagnosis(findings, CODES, "error", "it broke"), language, Evidence())
    for code in CODES:
        assert f"`{code}`" in page
        assert title(code, language, "perceptual") in page
        assert inline(remedy(code, language, "perceptual")) in page
    assert page.count("\na = 1\n") == len(CODES)
    assert "75%" in page
    assert "it broke" in page
    assert "{" not in page


@pytest.mark.parametrize("language", ["en", "zh"])
def test_text_of_others_breaks_no_page(evidence_of: EvidenceOf, language: Language) -> None:
    nasty = "<b>x</b> | y\n# heading\n```\n[l](http://m)"
    cause = finding("data.out_of_range", "error", 0.9, (nasty, "0.12345678901234"), nasty)
    cause = replace(cause, consequences=(finding("loss.dominates", "warning", 0.5, (nasty + "2",), nasty),))
    evidence = evidence_of({"losses.seraena": nasty})
    page = to_markdown(Diagnosis((cause,), (), "error", nasty), language, evidence)
    shown = MarkdownIt("commonmark").enable("table").render(page)
    usual = MarkdownIt("commonmark").enable("table").render(to_markdown(diagnose(evidence_of()), language, evidence))
    assert "<b>" not in shown
    assert "<a href" not in shown
    assert shown.count("<h1>") == usual.count("<h1>") == 1
    assert "heading</h" not in shown.replace("# heading", "")
    assert "0.12345678901234" not in page
    rows = [len(re.findall(r"(?<!\\)\|", row)) for row in page.splitlines() if row.startswith("| ")]
    headers = [row for row in page.splitlines() if row.startswith("|---")]
    assert len(set(rows)) == 1  # as many cells in every row; both tables of the Chinese page have four
    assert shown.count("<table>") == len(headers)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_page_ends_with_a_command(failed_run: Evidence, evidence_of: EvidenceOf, language: Language) -> None:
    study = Evidence(study=StudyFacts(best={}, space={}, num_trials=50))
    for evidence in (failed_run, evidence_of(), evidence_of(failure="x"), study, Evidence()):
        *_, label, empty, command = to_markdown(diagnose(evidence), language, evidence).splitlines()
        assert label.endswith((":", "："))
        assert (empty, command[:14]) == ("", "    python -m ")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_numbers_that_the_cause_has_shown_are_not_repeated(failed_run: Evidence, language: Language) -> None:
    page = to_markdown(diagnose(failed_run), language, failed_run)
    assert page.count("48.8 dB") == 1
