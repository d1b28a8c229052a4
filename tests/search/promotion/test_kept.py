from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from model.training.checkpoint import WEIGHTS
from search.promotion.kept import BEST, keep_weights, step_of


def save(folder: Path, step: int) -> None:
    (folder / WEIGHTS).parent.mkdir(parents=True, exist_ok=True)
    save_file({"weight": torch.full((3,), float(step))}, folder / WEIGHTS, {"step": str(step)})


def test_milestones_and_the_best_stay(tmp_path: Path) -> None:
    scores: dict[int, float] = {}
    for step, score in ((10, 1.0), (20, 5.0), (30, 3.0), (40, 4.0)):
        scores[step] = score
        save(tmp_path, step)
        keep_weights(tmp_path, scores, 20)
    names = {path.name for path in (tmp_path / "checkpoint").iterdir()}
    assert names == {"model.safetensors", "best.safetensors", "step-000020.safetensors", "step-000040.safetensors"}
    assert step_of(tmp_path / BEST) == 20
    assert load_file(tmp_path / BEST)["weight"].tolist() == [20.0] * 3
    assert step_of(tmp_path / "checkpoint" / "step-000040.safetensors") == 40


def test_a_kill_between_saving_and_copying_is_made_up_for(tmp_path: Path) -> None:
    # Killed right after step 20 was saved: what comes next is the start of the command that goes on.
    save(tmp_path, 20)
    keep_weights(tmp_path, {10: 1.0, 20: 2.0}, 20)
    assert step_of(tmp_path / BEST) == 20


def test_later_scores_say_nothing_about_older_weights(tmp_path: Path) -> None:
    # Killed after step 30 was measured and before it was saved.
    save(tmp_path, 20)
    keep_weights(tmp_path, {10: 1.0, 20: 2.0, 30: 3.0}, 20)
    assert step_of(tmp_path / BEST) == 20


def test_weights_that_are_there_are_not_copied_again(tmp_path: Path) -> None:
    save(tmp_path, 20)
    keep_weights(tmp_path, {20: 2.0}, 20)
    names = (BEST, WEIGHTS.with_name("step-000020.safetensors"))
    before = [(tmp_path / name).stat().st_ino for name in names]
    keep_weights(tmp_path, {20: 2.0}, 20)
    assert [(tmp_path / name).stat().st_ino for name in names] == before


def test_before_the_first_checkpoint_there_is_nothing(tmp_path: Path) -> None:
    keep_weights(tmp_path, {}, 20)
    assert list(tmp_path.iterdir()) == []
