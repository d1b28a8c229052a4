import json
from dataclasses import replace

import pytest

from search.promotion.gate_record import GateRecord, judge_winner, keep_force
from search.promotion.leads import leads_of


@pytest.fixture
def yardsticks(prepared_once):
    some = prepared_once.yardsticks["grey"]
    return {"mean_colour": replace(some, psnr=15.0), "reference": replace(some, psnr=27.0)}


@pytest.fixture
def judge(yardsticks, tiny):
    """Judge confirmations that were ranked by their means."""
    settings = tiny("promotion.steps=100000")
    return lambda ranked, force=False: judge_winner(
        ranked, leads_of(ranked, {}, 200), yardsticks, settings, force=force
    )


def test_an_open_gate_has_a_lead_and_an_estimate(confirmed, judge) -> None:
    ranked = [confirmed(5, [25.0, 25.1, 25.2]), confirmed(2, [23.0, 23.1, 23.1], "seraena_author")]
    gate = judge(ranked, force=True)
    assert (gate.winner, gate.baseline, gate.reasons, gate.forced) == (5, "trial 2 seraena_author", (), False)
    assert gate.lead.psnr_db == pytest.approx(2.0333, abs=1e-3)
    assert gate.estimates["val/psnr"].steps == 100_000
    assert set(gate.estimates) == {"score", "val/psnr", "val/ssim"}
    assert gate.estimates["val/psnr"].value > 26.1
    assert gate.in_words().startswith("confirmed +2.54 in score (+2.03 dB) against trial 2 seraena_author")
    assert json.loads(json.dumps(gate.to_json()))["lead"]["mean"] == gate.lead.mean
    assert GateRecord.from_json(json.loads(json.dumps(gate.to_json()))) == gate


def test_a_forced_gate_says_in_spite_of_what(confirmed, judge) -> None:
    ranked = [confirmed(5, [13.0, 13.1]), confirmed(2, [13.1, 13.0], "seed_old")]
    closed, forced = (judge(ranked, force=force) for force in (False, True))
    assert closed.reasons == forced.reasons
    assert (closed.forced, forced.forced) == (False, True)
    assert "forced in spite of: a winner must beat the baselines" in forced.in_words()
    assert "forced" not in closed.in_words()
    assert closed.in_words().startswith("not confirmed ")
    assert GateRecord.from_json(json.loads(json.dumps(forced.to_json()))) == forced


def test_a_candidate_that_nothing_speaks_against_wins_over_a_better_mean(confirmed, judge) -> None:
    lucky, steady = confirmed(5, [28.0, 24.0, 26.5]), confirmed(7, [25.0, 25.1, 25.2])
    gate = judge([lucky, steady, confirmed(2, [23.0, 23.1, 23.1], "seed_old")])
    assert (gate.winner, gate.reasons) == (7, ())
    (passed,) = gate.passed_over
    assert passed.startswith("trial 5: a winner must beat the baselines by more than the noise")
    assert GateRecord.from_json(json.loads(json.dumps(gate.to_json()))) == gate


def test_where_something_speaks_against_all_the_best_of_them_is_told(confirmed, judge) -> None:
    gate = judge([confirmed(5, [13.0, 13.1]), confirmed(7, [12.0, 12.1]), confirmed(2, [13.1, 13.0], "seed_old")])
    assert (gate.winner, gate.passed_over) == (5, ())
    assert any("mean colour" in reason for reason in gate.reasons)


def test_baselines_that_diverged_leave_no_lead(confirmed, judge) -> None:
    gate = judge([confirmed(5, [25.0, 25.1])])
    assert (gate.lead, gate.baseline, gate.reasons) == (None, "", ())
    assert gate.in_words() == "confirmed: every baseline diverged"
    assert GateRecord.from_json(json.loads(json.dumps(gate.to_json()))) == gate


def test_that_a_person_went_on_is_not_taken_back(confirmed, judge) -> None:
    ranked = [confirmed(5, [13.0, 13.1]), confirmed(2, [13.1, 13.0], "seed_old")]
    closed, forced = judge(ranked), judge(ranked, force=True)
    assert keep_force(closed, forced).forced
    assert not keep_force(closed, None).forced
    assert not keep_force(closed, replace(forced, winner=9)).forced
    assert not keep_force(replace(closed, reasons=()), forced).forced


def test_lpips_is_estimated_where_it_was_measured(repeat, confirmed, judge) -> None:
    one = confirmed(5, [25.0, 25.1, 25.2])
    short, long = (
        tuple(replace(each, metrics=each.metrics | {"val/lpips": 0.1}) for each in part)
        for part in (one.short, one.long)
    )
    gate = judge([replace(one, short=short, long=long), confirmed(2, [23.0, 23.1, 23.1], "seed_old")])
    assert gate.estimates["val/lpips"].value == pytest.approx(0.1)
