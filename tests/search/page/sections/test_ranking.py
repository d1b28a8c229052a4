import re
from dataclasses import replace

from search.page.evidence import PageEvidence
from search.page.sections.ranking import cells, flicker_cell, number_cell, section, sparkline


def test_every_finished_trial_has_a_row_in_order(evidence: PageEvidence) -> None:
    text = section(evidence)
    assert re.findall(r"<tr><td>(\d+)</td><td>(.+?)</td>", text) == [
        ("1", "5"),
        ("2", "6"),
        ("3", "4<br><small>the user&#x27;s new settings</small>"),
        ("4", "3<br><small>the user&#x27;s old settings</small>"),
        ("5", "7"),
        ("6", "8"),
    ]
    assert text.count("<svg") == 6
    assert '<table class="sortable">' in text


def test_a_row_has_scores_state_and_diagnosis(evidence: PageEvidence) -> None:
    row = cells(evidence, evidence.rows[0], (0.0, 36.0))
    assert row[:4] == ["1", "5", "36.00", "ok"]
    assert row[4] == '<span data-value="0.0001">0.0001</span>'
    assert row[5:9] == ["18.00", "0.500", "-", "-"]
    assert row[-2:] == ["<span>linear</span>", "complete"]
    assert len(row) == section(evidence).count("<th>")


def test_flicker_has_a_column(evidence: PageEvidence) -> None:
    assert "<button type=button>flicker</button>" in section(evidence)
    best = evidence.rows[0]
    assert flicker_cell(replace(best, metrics=best.metrics | {"val/flicker": 0.01234})) == "0.0123"
    assert flicker_cell(best) == "-"


def test_a_curve_is_drawn_from_its_first_step_to_its_last_on_the_shared_scale() -> None:
    text = sparkline([(10, 0.0), (20, 5.0), (30, 10.0)], (0.0, 10.0))
    assert 'd="M0.0,20.0 50.0,10.0 100.0,0.0"' in text
    assert 'data-value="10.0"' in text


def test_one_point_is_no_curve_and_a_flat_one_is_level() -> None:
    assert sparkline([(10, 1.0)], (0.0, 1.0)) == "-"
    assert "M0.0,20.0 100.0,20.0" in sparkline([(1, 3.0), (2, 3.0)], (3.0, 3.0))


def test_a_number_sorts_by_its_exact_value() -> None:
    assert number_cell(0.00012345) == '<span data-value="0.00012345">0.00012</span>'
    assert number_cell("cosine_with_restarts") == "<span>cosine with restarts</span>"


def test_no_trials_leave_the_headings(evidence: PageEvidence) -> None:
    assert "<tbody></tbody>" in section(replace(evidence, rows=(), curves={}))
