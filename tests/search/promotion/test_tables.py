import io
import math
from dataclasses import replace

import pytest
from rich.console import Console

from search.promotion.gate_record import judge_winner
from search.promotion.leads import leads_of
from search.promotion.tables import decision_lines, level_line, to_differences, to_table


@pytest.fixture
def yardsticks(prepared_once):
    some = prepared_once.yardsticks["grey"]
    return {"mean_colour": replace(some, psnr=15.0), "reference": replace(some, psnr=27.0)}


def printed(table) -> str:
    out = io.StringIO()
    Console(file=out, width=200).print(table)
    return out.getvalue()


def test_the_table_has_mean_and_deviation_at_both_lengths(confirmed, yardsticks) -> None:
    ranked = [confirmed(5, [25.0, 26.0]), confirmed(2, [23.0, 23.0], "seed_old")]
    lines = printed(to_table(ranked, yardsticks)).splitlines()
    assert "score at 1000" in lines[1]
    assert "at 5000" in lines[1]
    # 50 * 25.5 / 40 + 25 = 56.875; a deviation of 1.25 / sqrt(2); 1 dB more after 5000 steps.
    assert lines[3].split() == [
        "trial",
        "5",
        "50.00",
        "56.88",
        "±",
        "0.88",
        "58.12",
        "±",
        "0.88",
        "26.50",
        "0.500",
        "-",
    ]
    assert any(line.split()[:2] == ["mean", "colour"] and "15.00" in line for line in lines)


def test_a_baseline_without_a_trials_score_has_a_dash(confirmed, yardsticks) -> None:
    ranked = [confirmed(5, [25.0, 26.0]), confirmed(2, [23.0, 23.0], "seed_old")]
    ranked[1] = replace(ranked[1], candidate=replace(ranked[1].candidate, score=math.nan))
    assert "trial 2 seed_old - " in " ".join(printed(to_table(ranked, yardsticks)).split())


def test_each_difference_has_its_intervals_and_its_level(confirmed) -> None:
    ranked = [confirmed(5, [25.0, 26.0]), confirmed(7, [24.0, 24.5]), confirmed(2, [23.0, 23.0], "seed_old")]
    leads = leads_of(ranked, {}, 100)
    lines = printed(to_differences(ranked, leads)).splitlines()
    rows = [line.strip() for line in lines if line.strip().startswith("trial")]
    assert [line.split(" - ")[0] for line in rows] == ["trial 5", "trial 7"]
    difference = leads[5]["trial 2 seed_old"]
    low, high = difference.clip_interval
    assert " ".join(rows[0].split()[6:8]) == "+3.12 +2.50"  # 2.5 dB are 3.125 of score
    assert f"{low:+.2f} to {high:+.2f}" in rows[0]
    assert rows[0].split()[-2:] == ["97.5", "%"]


def test_the_levels_say_over_how_many_candidates_and_sources(confirmed) -> None:
    ranked = [confirmed(5, [25.0, 26.0]), confirmed(7, [24.0, 24.5]), confirmed(2, [23.0, 23.0], "seed_old")]
    line = level_line(leads_of(ranked, {}, 100))
    assert "5 % in all over 2 candidates (Holm), each against every baseline; clips drawn by their 3 sources" in line
    assert "narrower than it should be" in line
    assert "nothing to compare with" in level_line({5: {}})


def test_the_decision_and_the_estimate_are_said(confirmed, yardsticks, tiny) -> None:
    settings = tiny("promotion.steps=100000")
    ranked = [
        confirmed(4, [30.0, 24.0, 24.0]),
        confirmed(5, [25.0, 25.1, 25.2]),
        confirmed(2, [23.0, 23.1, 23.1], "seed_old"),
    ]
    gate = judge_winner(ranked, leads_of(ranked, {}, 100), yardsticks, settings, force=False)
    lines = decision_lines(gate)
    assert lines[0].startswith("passed     over trial 4: a winner must beat the baselines by more than the noise")
    assert lines[1].startswith("winner     trial 5: confirmed +2.5")
    assert lines[2] == "gate       open"
    assert any("val/psnr" in line and "after 100000 steps" in line for line in lines)
