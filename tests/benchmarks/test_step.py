import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.floor import LOSS_SETS
from benchmarks.inputs import decode_all_frames, random_bank
from benchmarks.step import main, notebook_shape, set_controls
from model.training.capture import open_feed_of, prepare_step
from tests.commands import ROOT


def test_the_command_times_both_loss_sets_and_compares_the_loop(
    tiny_changes: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "step.json"
    main(steps=2, out=out, config=ROOT / "conf.toml", profile="cpu", set_=tiny_changes)
    printed = capsys.readouterr().out
    result = json.loads(out.read_text())
    assert [(row["losses"], row["way"]) for row in result["rows"]] == [("three", "eager"), ("five", "eager")]
    assert all(row["step_ms"] > 0 for row in result["rows"])
    assert result["rows"][0]["floor"]["flop"] < result["rows"][1]["floor"]["flop"]
    assert result["shape"] == {"batch_size": 2, "frames": 9, "crop_px": 24, "precision": "float32", "width": 0.125}
    assert f"takes {result['loop_to_bare']:.3f} times as long as bare steps" in printed
    assert "timed without the perceptual loss" in printed


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_notebooks_shape_is_trained_with_all_its_frames(tiny: Callable, precision: str) -> None:
    settings = notebook_shape(
        tiny("network.width=0.125", "losses.critic_width=0.125", f"training.precision={precision}")
    )
    assert (settings.training.batch_size, settings.data.frames, settings.data.crop_px) == (16, 12, 64)
    small = settings.model_copy(update={"training": settings.training.model_copy(update={"batch_size": 1})})
    feed = open_feed_of(random_bank(small), small, torch.device("cpu"))
    step = prepare_step(small, feed, None, LOSS_SETS["three"])
    decode_all_frames(step.state.model, step.rounded)
    set_controls(step, 0, small)
    step()
    measured, _ = step.read(0.0)
    assert set(measured.losses) == set(LOSS_SETS["three"])
    assert step.state.model.decode(feed.latents[:1].float()).shape == (1, 12, 3, 64, 64)
