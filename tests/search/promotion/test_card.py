from dataclasses import replace

from search.promotion.card import model_card, score_line
from search.promotion.gate_record import judge_winner
from tracking.query import RunRow


def test_the_card_has_scores_with_intervals_baselines_and_origin(prepared_once, confirmed, tiny) -> None:
    yardsticks, settings = prepared_once.yardsticks, tiny("promotion.model=mine", "promotion.steps=100000")
    ranked = [confirmed(5, [25.0, 25.1]), confirmed(2, [23.0, 23.1], "seed_old")]
    gate = judge_winner(ranked, yardsticks, settings, force=False)
    tags = {"study": "taehv-1", "data_digest": "abc", "git_commit": "def", "diagnosis": "warning"}
    row = RunRow("run7", "full", "full", "FINISHED", {}, {}, tags, 0, 1)
    scores = replace(
        yardsticks["grey"], psnr=20.0, ssim=0.5, score=50.0, intervals={"val/psnr": (19.0, 21.0), "score": (48.0, 52.0)}
    )
    card = model_card(row, settings, 30, scores, yardsticks, gate)
    assert card.startswith("# mine\n")
    assert "| this model | 50.00 (48 to 52) | 20.00 (19 to 21) |" in card
    assert "| mean colour | " in card
    assert "| the reference's own round trip | " in card
    for part in (
        "trial 5 of study taehv-1",
        "step 30",
        "run run7",
        "digest abc, code def",
        "diagnosis of the run: warning",
    ):
        assert part in card, part
    assert f"- losses.encoder = {settings.losses.encoder}" in card
    assert "cache_dir" not in card


def test_a_dash_stands_for_what_was_not_measured(prepared_once) -> None:
    scores = prepared_once.yardsticks["grey"]
    with_lpips = replace(scores, lpips=0.1, overall=3.0)
    assert score_line("x", scores, {}, with_lpips).endswith("| - | - |")
