from dataclasses import replace

import pytest
import torch

from model.evaluation.scores import METRICS
from search.promotion.card import Clips, Weights, digest_of, model_card, score_line
from search.promotion.gate_record import judge_winner
from search.promotion.leads import leads_of
from tracking.query import RunRow

GIT = {"commit": "def", "dirty": True, "note": ""}


@pytest.fixture
def card(prepared_once, confirmed, tiny):
    """Write the card of a run with these tags, of code that git knows so."""
    yardsticks, settings = prepared_once.yardsticks, tiny("promotion.model=mine", "promotion.steps=100000")
    ranked = [confirmed(5, [25.0, 25.1]), confirmed(2, [23.0, 23.1], "seed_old")]
    gate = judge_winner(ranked, leads_of(ranked, {}, 100), yardsticks, settings, force=False)
    scores = replace(
        yardsticks["grey"], psnr=20.0, ssim=0.5, score=50.0, intervals={"val/psnr": (19.0, 21.0), "score": (48.0, 52.0)}
    )

    def write(git=GIT, gate=gate, **tags: str) -> str:
        own = {"study": "taehv-1", "data_digest": "abc", "git_commit": "def", "diagnosis": "warning"} | tags
        row = RunRow("run7", "full", "full", "FINISHED", {}, {}, own, 0, 1)
        return model_card(row, settings, Weights(30, scores, Clips("d16e57", 64, 6)), yardsticks, gate, git)

    return write


def test_the_card_has_scores_with_intervals_baselines_and_origin(card, tiny) -> None:
    text = card()
    assert text.startswith("# mine\n")
    assert "| this model | 50.00 (48 to 52) | 20.00 (19 to 21) |" in text
    assert "| mean colour | " in text
    assert "| the reference's own round trip | " in text
    for part in (
        "trial 5 of study taehv-1",
        "On 64 validation clips (digest d16e57)",
        "from 6 sources",
        "run run7",
        "digest abc, code def with changes (provenance/git.diff of the run)",
        "diagnosis of the run: warning",
        "- val/psnr 20 came, below the estimate of",
    ):
        assert part in text, part
    assert f"- losses.encoder = {tiny().losses.encoder}" in text
    assert "cache_dir" not in text


def test_it_says_how_these_weights_come_again(card) -> None:
    text = card()
    assert "averaged ones of step 30, the best of the run's evaluations, and not those of its last step" in text
    assert "    git checkout def\n    python -m search.promote --config study.toml" in text
    assert "keeps the weights of the last one" in text
    assert "code def without changes" in card(git=GIT | {"dirty": False})
    unknown = card(git={"commit": None, "dirty": None, "note": "git is not installed"}, git_commit="unknown: no git")
    assert "    git checkout" not in unknown
    assert "# the code was in no git checkout (git is not installed)" in unknown


def test_it_says_what_was_forced_and_what_the_watch_saw(card) -> None:
    assert "forced in spite of" not in card()
    text = card(forced="unfinished, gate", watch="keeps up: at step 2000 the full run has 22.00 dB")
    assert "- forced in spite of: unfinished, gate" in text
    assert "- the full run against its confirmations: keeps up: at step 2000" in text


def test_a_dash_stands_for_what_was_not_measured(prepared_once) -> None:
    scores = prepared_once.yardsticks["grey"]
    with_lpips = replace(scores, lpips=0.1, overall=3.0)
    assert score_line("x", scores, {}, with_lpips).endswith("| - | - |")
    assert set(with_lpips.metrics()) == set(METRICS)


def test_the_digest_is_of_the_pictures() -> None:
    clips = torch.arange(12, dtype=torch.uint8).reshape(1, 1, 3, 2, 2)
    assert digest_of(clips) == digest_of(clips.clone())
    assert digest_of(clips) != digest_of(clips + 1)


def test_the_clips_of_a_bank_are_counted_with_their_sources(prepared_once) -> None:
    bank = prepared_once.bank
    clips = Clips.of(bank)
    assert (clips.validation_digest, clips.validation_clips) == (digest_of(bank.validation), len(bank.validation))
    assert 1 <= clips.validation_sources <= clips.validation_clips


def test_what_was_forced_is_made_again_with_force(card, prepared_once, confirmed, tiny) -> None:
    assert "    python -m search.promote --config study.toml  # in the record of the study" in card()
    lost = [confirmed(2, [25.0, 25.1], "seed_old"), confirmed(5, [23.0, 23.1])]
    gate = judge_winner(
        lost, leads_of(lost, {}, 100), prepared_once.yardsticks, tiny("promotion.steps=100000"), force=True
    )
    assert "    python -m search.promote --config study.toml --force  # in the record" in card(gate=gate)
