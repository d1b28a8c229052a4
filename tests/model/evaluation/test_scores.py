import json

import pytest

from model.evaluation.scores import METRICS, ClipScore, Scores, overall, score


def make(lpips: float | None) -> Scores:
    return Scores(
        psnr=20.0,
        ssim=0.5,
        flicker=0.01,
        lpips=lpips,
        overall=None if lpips is None else overall(20.0, 0.5, lpips),
        score=score(20.0, 0.5),
        intervals={"val/psnr": (19.0, 21.0)},
        clips=(ClipScore("a", 20.0, 0.5, 0.01, lpips),),
        lpips_backbone=None if lpips is None else "squeeze",
        output_mean=0.5,
        output_std=0.2,
        target_std=0.2,
        saturated_share=0.0,
        best_frame_shift=0,
    )


def test_overall_of_the_failed_run_is_4_1() -> None:
    assert round(overall(4.24, 0.012, 0.806), 1) == 4.1


@pytest.mark.parametrize(
    ("psnr", "ssim", "lpips", "expected"),
    [
        (28, 0.85, 0.20, 58.0),
        (30, 0.90, 0.10, 61.7),
        (28, 0.85, 0.06, 70.0),
        (32, 0.93, 0.05, 79.6),
        (50, 1.0, 0.0, 100.0),
    ],
)
def test_overall_known_values(psnr: float, ssim: float, lpips: float, expected: float) -> None:
    assert overall(psnr, ssim, lpips) == pytest.approx(expected, abs=0.05)


def test_score_weighs_40_db_like_a_perfect_ssim() -> None:
    assert score(40, 1) == 100
    assert score(20, 0) == score(0, 0.5) == 25


def test_metrics_have_their_names_in_the_record() -> None:
    assert make(0.1).metrics().keys() == METRICS.keys()
    assert METRICS["val/lpips"].better == "lower"
    assert METRICS["val/flicker"].better == "lower"
    assert METRICS["score"].better == "higher"


def test_what_was_not_measured_is_left_out() -> None:
    assert make(None).metrics().keys() == METRICS.keys() - {"val/lpips", "val/overall"}


def test_json_holds_everything() -> None:
    text = json.loads(json.dumps(make(0.1).to_json()))
    assert text["clips"] == [{"name": "a", "psnr": 20.0, "ssim": 0.5, "flicker": 0.01, "lpips": 0.1}]
    assert text["intervals"] == {"val/psnr": [19.0, 21.0]}
    assert text["best_frame_shift"] == 0
