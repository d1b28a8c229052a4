import torch

from benchmarks.evaluation import CLIPS, FRAMES, measure_evaluation
from model.recipe import Recipe
from model.settings import build, read_tables
from tests.commands import ROOT, TINY


def test_an_evaluation_of_the_claimed_size_is_timed() -> None:
    recipe = build(Recipe, read_tables(ROOT / "conf.toml", "cpu", TINY))
    result = measure_evaluation(recipe, None, torch.device("cpu"), clips=3)
    seconds = result.pop("seconds")
    assert seconds > 0
    assert (CLIPS, FRAMES) == (64, 9)  # what the claim is about
    assert result == {"clips": 3, "frames": 9, "side_px": 128, "lpips": None}
