from dataclasses import replace

from search.page.evidence import PageEvidence
from search.page.sections.findings import (
    SHOWN_FAILURES,
    diagnosis_section,
    failures,
    finding_table,
    noise_section,
    provenance_section,
)
from tracking.diagnosis import Diagnosis
from tracking.diagnosis.texts import finding

EDGE = finding("search.edge_of_space", "warning", 0.6, ("encoder = 2 lies at 99 %",), "search.space.encoder")


def test_the_trials_diagnoses_are_counted(evidence: PageEvidence) -> None:
    text = diagnosis_section(evidence)
    assert "Diagnoses of the trials: 6 ok." in text
    assert "<td>score.below_trivial</td>" in text
    assert "<td>6</td>" in text
    assert "its worker exited with code 1" in text
    assert "Not measured, so not known to be fine" in text


def test_only_the_newest_failures_are_named(evidence: PageEvidence) -> None:
    many = {number: f"reason {number}." for number in range(SHOWN_FAILURES + 2)}
    text = failures(replace(evidence, failures=many))
    assert "reason 1." not in text
    assert "reason 2." in text
    assert "2 earlier ones are left out" in text
    assert failures(replace(evidence, failures={})) == ""


def test_the_edge_of_the_space_is_found_fine_or_not_judged(evidence: PageEvidence) -> None:
    assert "not judged, too few complete trials" in noise_section(evidence)
    fine = replace(evidence, diagnosis=Diagnosis((), ("search.noise_floor",), "ok", None))
    assert "inside every searched range" in noise_section(fine)
    found = replace(evidence, diagnosis=Diagnosis((EDGE,), (), "warning", None))
    assert "encoder = 2 lies at 99 %" in noise_section(found)
    assert "inside every" not in noise_section(found)
    assert "Nothing was found in the study" in diagnosis_section(found)


def test_the_noise_is_measured_or_said_not_to_be(evidence: PageEvidence) -> None:
    assert "no settings were trained with several fresh seeds for a trial&#x27;s number of steps" in noise_section(
        evidence
    )
    known = noise_section(replace(evidence, repeats={5: (17.0, 19.0)}))
    assert "differ by 2.00 dB" in known
    assert "<td>17.00, 19.00</td>" in known


def test_a_finding_has_its_evidence_and_its_remedy() -> None:
    text = finding_table([EDGE])
    assert "confidence 60%" in text
    assert "encoder = 2 lies at 99 %" in text
    assert "search.space.encoder" in text


def test_commands_are_text(evidence: PageEvidence) -> None:
    text = provenance_section(replace(evidence, commands=(("it", "a < b"),)))
    assert "<pre>a &lt; b</pre>" in text
    assert evidence.name in text
