import io
from dataclasses import replace

import pytest
from rich.console import Console

from search.promotion.gate_record import judge_winner
from search.promotion.tables import decision_lines, to_table


@pytest.fixture
def yardsticks(prepared_once):
    some = prepared_once.yardsticks["grey"]
    return {"mean_colour": replace(some, psnr=15.0), "reference": replace(some, psnr=27.0)}


def test_the_table_has_mean_and_deviation_at_both_lengths(confirmed, yardsticks) -> None:
    ranked = [confirmed(5, [25.0, 26.0]), confirmed(2, [23.0, 23.0], "seed_old")]
    out = io.StringIO()
    Console(file=out, width=200).print(to_table(ranked, yardsticks))
    lines = out.getvalue().splitlines()
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


def test_the_decision_and_the_estimate_are_said(confirmed, yardsticks, tiny) -> None:
    ranked = [confirmed(5, [25.0, 25.1, 25.2]), confirmed(2, [23.0, 23.1, 23.1], "seed_old")]
    lines = decision_lines(judge_winner(ranked, yardsticks, tiny("promotion.steps=100000"), force=False))
    assert lines[0].startswith("winner     trial 5: confirmed +2.5")
    assert lines[1] == "gate       open"
    assert any(
        "val/psnr" in line and f"after {tiny('promotion.steps=100000').promotion.steps} steps" in line for line in lines
    )
