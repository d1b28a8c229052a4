"""Scores from files."""

import json
from pathlib import Path
from typing import Any

import pytest

from tracking.foreign.evaluation import Evaluation, parse_evaluation, read_evaluation

OURS = {
    "psnr": 20.0,
    "ssim": 0.5,
    "lpips": None,
    "overall": None,
    "score": 50.0,
    "intervals": {"val/psnr": [19.0, 21.0]},
    "clips": [{"name": "a", "psnr": 19.0, "ssim": 0.4, "lpips": None}, {"name": "b", "psnr": 21.0, "ssim": 0.6}],
    "output_std": 0.2,
    "target_std": 0.25,
    "saturated_share": 0.0,
    "best_frame_shift": 0,
}


def read(tmp_path: Path, content: Any) -> Evaluation:
    text = content if isinstance(content, str) else json.dumps(content)
    (tmp_path / "scores.json").write_text(text)
    return read_evaluation(tmp_path / "scores.json")


def test_the_scores_of_the_failed_run(tmp_path: Path) -> None:
    scores = {"psnr": 4.24, "ssim": 0.012, "lpips": 0.806}
    assert read(tmp_path, scores) == Evaluation(scores)


def test_statistics_over_clips_and_other_letters(tmp_path: Path) -> None:
    content = {"PSNR": {"mean": 4.24, "std": 1.0}, "SSIM": {"mean": 0.012}, "mse": {"mean": 0.3}, "model": "a"}
    assert read(tmp_path, content).scores == {"psnr": 4.24, "ssim": 0.012}


def test_our_own_evaluation_comes_with_its_yardsticks(tmp_path: Path) -> None:
    yardsticks = {"black": {"psnr": 6.0, "ssim": 0.0}, "reference": {"psnr": 30.0, "ssim": 0.9}}
    found = read(tmp_path, OURS | {"step": 100, "yardsticks": yardsticks})
    assert found.baselines == {"black": {"psnr": 6.0, "ssim": 0.0}}
    assert found.reference == {"psnr": 30.0, "ssim": 0.9}
    assert [clip["psnr"] for clip in found.scores["clips"]] == [19.0, 21.0]
    measured = {name: value for name, value in OURS.items() if value is not None and name != "clips"} | {"step": 100}
    assert {name: value for name, value in found.scores.items() if name != "clips"} == measured


def test_the_evaluation_command_has_baselines(tmp_path: Path) -> None:
    found = read(tmp_path, OURS | {"baselines": {"grey": {"psnr": 11.0}}, "checkpoint": "a.pth"})
    assert (found.baselines, found.reference) == ({"grey": {"psnr": 11.0}}, None)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"ssim": 0.5}, r"must have psnr, but .*scores.json has \['ssim'\]"),
        ({"psnr": "4.24"}, "psnr must be a finite number, but .*scores.json has '4.24'"),
        ({"psnr": True}, "psnr must be a finite number"),
        ({"psnr": {"std": 1.0}}, "psnr must be a finite number, but .* has None"),
        ('{"psnr": Infinity}', "psnr must be a finite number, but .* has inf"),
        ({"psnr": 4.0, "lpips": [0.8]}, "lpips must be a finite number"),
        ({"psnr": 4.0, "clips": {"a": 1}}, "clips must be a list"),
        ({"psnr": 4.0, "clips": [3.0]}, "an evaluation must be a table"),
        ({"psnr": 4.0, "yardsticks": [1]}, "yardsticks must be a table"),
        ({"psnr": 4.0, "baselines": {"grey": {}}}, "must have psnr, but .*scores.json, grey has"),
        ([4.24], "an evaluation must be a table"),
        ('{"psnr": 4', "--evaluation must be JSON, but .*scores.json"),
    ],
)
def test_files_that_are_no_evaluation(tmp_path: Path, content: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path, content)


def test_a_path_without_a_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"--evaluation must be a file, but .* is none"):
        read_evaluation(tmp_path)


@pytest.mark.parametrize(("name", "value"), [("psnr", -400.0), ("ssim", 7.0), ("lpips", -0.1)])
def test_scores_that_cannot_be_are_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{name} must lie in \["):
        parse_evaluation({"psnr": 20.0, name: value}, "scores.json")
