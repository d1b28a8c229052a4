import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model.evaluation.scores import Scores
from model.network.taehv import TAEHV
from model.network.weights import save_weights
from search.promotion.card import digest_of
from search.promotion.gate_record import judge_winner
from search.promotion.leads import leads_of
from search.promotion.register import MODEL, crown, missed_thresholds, register
from search.settings import ThresholdSettings
from tracking.provenance import log_provenance
from tracking.query import RunRow, find_runs
from tracking.registry import find_alias, register_version
from tracking.run import move_checkpoint, start_run

THRESHOLDS = ThresholdSettings(psnr=28.0, ssim=0.85, lpips=0.2)


@pytest.fixture
def good(prepared_once) -> Scores:
    """Scores that pass every threshold."""
    return replace(prepared_once.yardsticks["grey"], psnr=30.0, ssim=0.9, lpips=0.1, score=82.5)


def version_with(opened, scores: Scores, digest: str = "clips-a"):
    run = start_run(opened.prepared.store, "full", "full", opened.parent, {})
    run.text(f"{MODEL}/README.md", "card")
    tags = {"validation_digest": digest, "score": repr(scores.score)}
    return register_version(opened.prepared.store, "taehv", run.id, MODEL, tags, "card")


def champion(opened) -> str | None:
    found = find_alias(opened.prepared.store, "taehv", "champion")
    return None if found is None else found.number


def test_what_passes_misses_nothing(good: Scores) -> None:
    assert missed_thresholds(good, THRESHOLDS) == []


def test_each_missed_threshold_says_by_how_much(good: Scores) -> None:
    bad = replace(good, psnr=27.5, ssim=0.80, lpips=0.25)
    assert missed_thresholds(bad, THRESHOLDS) == [
        "PSNR 27.50 dB must be above 28, 0.50 missing",
        "SSIM 0.8000 must be above 0.85, 0.0500 missing",
        "LPIPS 0.2500 must be below 0.2, 0.0500 too much",
    ]
    assert missed_thresholds(replace(good, psnr=28.0), THRESHOLDS) == ["PSNR 28.00 dB must be above 28, 0.00 missing"]
    assert missed_thresholds(replace(good, lpips=None), THRESHOLDS) == ["LPIPS must be below 0.2, but was not measured"]


def test_the_champion_moves_only_to_a_better_one(opened, tiny, good: Scores) -> None:
    first = version_with(opened, good)
    assert crown(opened, tiny(), first, good) == "version 1 is champion"
    assert champion(opened) == "1"

    worse = replace(good, score=82.0)
    second = version_with(opened, worse)
    assert crown(opened, tiny(), second, worse) == "not moved: version 1 has a score of 82.500, this one 82.000"
    assert champion(opened) == "1"

    better = replace(good, score=83.0)
    third = version_with(opened, better)
    assert crown(opened, tiny(), third, better) == "version 3 is champion"
    assert champion(opened) == "3"
    assert crown(opened, tiny(), third, better) == "version 3 is champion"  # given again


def test_a_champion_that_raised_thresholds_would_refuse_is_told_to_be_it_still(opened, tiny, good: Scores) -> None:
    version = version_with(opened, good)
    crown(opened, tiny(), version, good)
    said = crown(opened, tiny("promotion.thresholds.psnr=35"), version, good)
    assert said.startswith(
        "version 1 stays champion, though it would not become it any more: PSNR 30.00 dB must be above 35"
    )
    assert champion(opened) == "1"


def test_below_the_thresholds_nobody_is_crowned(opened, tiny, good: Scores) -> None:
    bad = replace(good, psnr=20.0)
    assert "PSNR 20.00 dB must be above 28" in crown(opened, tiny(), version_with(opened, bad), bad)
    assert champion(opened) is None


def test_scores_of_other_clips_are_not_compared(opened, tiny, good: Scores) -> None:
    crown(opened, tiny(), version_with(opened, good), good)
    other = version_with(opened, replace(good, score=99.0), "clips-b")
    said = crown(opened, tiny(), other, replace(good, score=99.0))
    assert "version 1 was scored on other validation clips (digest clips-a, here clips-b)" in said
    assert champion(opened) == "1"


def full_run_with_weights(opened, settings, folder: Path) -> RunRow:
    """A finished full run whose best weights are of step 30."""
    prepared = opened.prepared
    run = start_run(prepared.store, "full", "full", opened.parent, {"study": "s", "identity": "0"})
    log_provenance(run, prepared.bank.facts["manifest"], prepared.bank.digest)
    folder.mkdir()
    torch.manual_seed(0)
    save_weights(TAEHV(settings.network).state_dict(), folder / "best.safetensors", {"step": "30"})
    move_checkpoint(prepared.store, run.id, folder)
    run.finish("FINISHED")
    return next(found for found in find_runs(prepared.store, role="full") if found.id == run.id)


@pytest.fixture
def gate(opened, tiny, confirmed):
    ranked = [confirmed(5, [25.0, 25.1]), confirmed(2, [23.0, 23.1], "seed_old")]
    settings = tiny("promotion.steps=100000")
    return judge_winner(ranked, leads_of(ranked, {}, 100), opened.prepared.yardsticks, settings, force=False)


def test_weights_are_scored_from_their_file_and_registered_once(opened, tiny, gate, tmp_path: Path) -> None:
    prepared, settings = opened.prepared, tiny("promotion.steps=100000")
    row = full_run_with_weights(opened, settings, tmp_path / "checkpoint")
    said: list[str] = []
    one = register(opened, tiny("promotion.seeds=7"), settings, row, gate, said.append)
    two = register(opened, tiny("promotion.seeds=7"), settings, row, gate, said.append)
    assert one.version == two.version
    assert said[0] == said[2] == "registered taehv version 1, alias challenger"
    assert one.version.tags["validation_digest"] == digest_of(prepared.bank.validation)
    assert one.version.tags["validation_clips"] == str(len(prepared.bank.validation))
    assert float(one.version.tags["score"]) == one.scores.score

    folder = prepared.store.root / "artifacts" / row.id / "artifacts" / MODEL
    assert "averaged ones of step 30" in (folder / "README.md").read_text()
    assert "seeds = 7" in (folder / "study.toml").read_text()
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert evaluation["validation_digest"] == digest_of(prepared.bank.validation)
    estimated = json.loads((folder / "estimate.json").read_text())
    assert set(estimated) == {"score", "val/psnr", "val/ssim"}
    assert estimated["val/psnr"]["came"] == one.scores.psnr
    assert estimated["val/psnr"]["place"] == "below"  # an untrained network against 26 dB


def test_an_old_command_given_again_leaves_the_challenger_where_it_is(opened, tiny, gate, tmp_path: Path) -> None:
    settings, said = tiny("promotion.steps=100000"), list[str]()
    old, new = (full_run_with_weights(opened, settings, tmp_path / name) for name in ("one", "two"))
    for row in (old, new, old):
        register(opened, settings, settings, row, gate, said.append)
    found = find_alias(opened.prepared.store, "taehv", "challenger")
    assert found is not None
    assert (found.number, found.run_id) == ("2", new.id)
    assert "registered taehv version 1, as before; the newest is version 2" in said


def test_a_version_that_was_killed_before_its_alias_gets_it(opened, tiny, gate, tmp_path: Path, monkeypatch) -> None:
    settings = tiny("promotion.steps=100000")
    row = full_run_with_weights(opened, settings, tmp_path / "checkpoint")
    monkeypatch.setattr("search.promotion.register.set_alias", lambda *_arguments: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        register(opened, settings, settings, row, gate, print)
    monkeypatch.undo()
    assert find_alias(opened.prepared.store, "taehv", "challenger") is None
    register(opened, settings, settings, row, gate, print)
    found = find_alias(opened.prepared.store, "taehv", "challenger")
    assert found is not None
    assert found.number == "1"


def test_weights_that_are_gone_are_an_error_with_a_remedy(opened, tiny, confirmed) -> None:
    run = start_run(opened.prepared.store, "full", "full", opened.parent, {"study": "s"})
    (row,) = find_runs(opened.prepared.store, role="full")
    with pytest.raises(RuntimeError, match=r"needs the full run's weights, but .*best\.safetensors is not there"):
        register(opened, tiny(), tiny(), row, None, print)  # the decision is not looked at before the weights
    run.finish("FAILED")
