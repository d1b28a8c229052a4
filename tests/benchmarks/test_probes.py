import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.inputs import random_bank
from model.network.taehv import TAEHV
from model.recipe import Recipe
from model.settings import build, read_tables
from model.training.batches import take_batch
from tests.commands import ROOT, TINY, Command, settings_options


def test_the_command_prints_and_writes_the_cost(call: Callable[..., Command], tmp_path: Path) -> None:
    out = tmp_path / "cost.json"
    done = call("benchmarks.probes", "--out", str(out), *settings_options(*TINY, "training.probe_every=7"))
    assert done.code == 0, done.err
    result = json.loads(out.read_text())
    more = result["probed_step_ms"] - result["step_ms"]
    assert result["cost_share"] == pytest.approx(more / result["step_ms"] / 7)
    assert result["perceptual"] is False
    assert "timed without the perceptual loss" in done.out
    for text in (f"{result['step_ms']:.1f} ms", f"{result['probed_step_ms']:.1f} ms", "7 steps"):
        assert text in done.out


def test_wrong_settings_are_wrong_use(call: Callable[..., Command]) -> None:
    done = call("benchmarks.probes", *settings_options("training.probe_evry=7"))
    assert done.code == 2
    assert "probe_every" in done.err


@pytest.mark.parametrize("changes", [["network.variant=base"], ["network.variant=wan22", "data.crop_px=32"]])
def test_noise_has_the_shapes_of_a_real_bank(changes: list[str]) -> None:
    recipe = build(Recipe, read_tables(ROOT / "conf.toml", "cpu", [*TINY, *changes]))
    batch = take_batch(random_bank(recipe), 0, recipe, torch.device("cpu"))
    assert batch.video.shape == (2, 9, 3, recipe.data.crop_px, recipe.data.crop_px)
    with torch.no_grad():
        latents = TAEHV(recipe.network).encode(batch.video)
    assert batch.latents.shape == latents.shape
    assert 0 <= batch.video.min() < batch.video.max() <= 1
