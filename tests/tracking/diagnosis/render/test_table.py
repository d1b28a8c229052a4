"""The diagnosis on a terminal."""

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from tracking.diagnosis.diagnose import diagnose
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import CODES, Diagnosis
from tracking.diagnosis.render.table import to_table
from tracking.diagnosis.texts import finding

EvidenceOf = Callable[..., Evidence]


def lines(diagnosis: Diagnosis, width: int = 80) -> list[str]:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(to_table(diagnosis))
    return [line.strip() for line in console.file.getvalue().splitlines() if line.strip()]


def test_causes_stand_left_and_consequences_indented(failed_run: Evidence) -> None:
    shown = lines(diagnose(failed_run), 300)
    cause = next(line for line in shown if "data.double_normalised" in line)
    place = shown.index(cause)
    assert cause.startswith(
        "error     data.double_normalised   90%  training - evaluation: gap = 53.0 - 4.24 = 48.8 dB;"
    )
    assert shown[place + 1].strip().startswith("-> Remove the second division by 255")
    assert shown[place + 2].startswith("error       loss.metric_mismatch   90%  same numbers")
    assert shown[place + 3].startswith(
        "warning     loss.dominates         60%  losses.encoder * loss/encoder / loss/total = 1.000 > 0.9"
    )
    assert shown[place + 4].startswith(
        "error     loss.inert               95%  decoder: loss/decoder was never logged: 0 points"
    )
    assert shown[-1] == "verdict error; not measured: 17 of 26 checks"


def test_a_remedy_is_told_once_for_each_code(failed_run: Evidence) -> None:
    together = " ".join(lines(diagnose(failed_run), 200))
    assert together.count("Find out why") == 1
    assert together.count("-> as above") == 2


def test_few_checks_are_called_few() -> None:
    assert lines(diagnose(Evidence()), 200)[-1].endswith("26 of 26 checks, so this says little")


@pytest.mark.parametrize("width", [80, 200])
def test_nothing_is_cut_off(width: int) -> None:
    findings = tuple(finding(code, "warning", 1.0, ("[red]a | b[/red]\nc",), "perceptual") for code in CODES)
    shown = lines(Diagnosis(findings, (), "warning"), width)
    assert max(map(len, shown)) <= width
    for code in CODES:
        assert any(f" {code} " in line for line in shown)
    together = " ".join(" ".join(shown).split())
    assert together.count("perceptual: [red]a | b[/red] c") == len(CODES)
    assert "…" not in together


def test_a_run_that_broke_off_says_so_first(evidence_of: EvidenceOf) -> None:
    shown = lines(diagnose(evidence_of(failure="losses must be\nfinite")))
    assert shown[2].startswith("error")
    assert shown[2].endswith("The run broke off: losses must be finite")


def test_a_sound_run_has_one_line(evidence_of: EvidenceOf) -> None:
    _, _, *rows = lines(diagnose(evidence_of()))
    assert len(rows) == 1
    assert rows[0].startswith("verdict ok; not measured: ")
