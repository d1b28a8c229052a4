import json
from dataclasses import replace

import pytest

from search.promotion.gate_record import GateRecord, judge_winner


@pytest.fixture
def yardsticks(prepared_once):
    some = prepared_once.yardsticks["grey"]
    return {"mean_colour": replace(some, psnr=15.0), "reference": replace(some, psnr=27.0)}


def test_an_open_gate_has_a_lead_and_an_estimate(confirmed, yardsticks, tiny) -> None:
    ranked = [confirmed(5, [25.0, 25.1, 25.2]), confirmed(2, [23.0, 23.1, 23.1], "seraena_author")]
    gate = judge_winner(ranked, yardsticks, tiny("promotion.steps=100000"), force=True)
    assert (gate.winner, gate.baseline, gate.reasons, gate.forced) == (5, "trial 2 seraena_author", (), False)
    assert gate.lead.psnr_db == pytest.approx(2.0333, abs=1e-3)
    assert gate.estimates["val/psnr"].steps == tiny("promotion.steps=100000").promotion.steps
    assert gate.estimates["val/psnr"].value > 26.1
    assert gate.in_words().startswith("confirmed +2.54 in score (+2.03 dB) against trial 2 seraena_author")
    assert json.loads(json.dumps(gate.to_json()))["lead"]["mean"] == gate.lead.mean
    assert GateRecord.from_json(json.loads(json.dumps(gate.to_json()))) == gate


def test_a_forced_gate_says_in_spite_of_what(confirmed, yardsticks, tiny) -> None:
    ranked = [confirmed(5, [13.0, 13.1]), confirmed(2, [13.1, 13.0], "seed_old")]
    closed, forced = (
        judge_winner(ranked, yardsticks, tiny("promotion.steps=100000"), force=force) for force in (False, True)
    )
    assert closed.reasons == forced.reasons
    assert (closed.forced, forced.forced) == (False, True)
    assert "forced in spite of: a winner must beat the baselines" in forced.in_words()
    assert "forced" not in closed.in_words()
    assert GateRecord.from_json(json.loads(json.dumps(forced.to_json()))) == forced
