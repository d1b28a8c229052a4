import json
from pathlib import Path

import pytest

from benchmarks.floor import LOSS_SETS, floor_of_step, main
from model.recipe import Recipe
from model.settings import build, read_tables
from model.training.settings import LOSSES
from tests.commands import ROOT, TINY

CHANNELS = 16  # of the base variant's latents


def recipe(profile: str = "cpu", *changes: str) -> Recipe:
    return build(Recipe, read_tables(ROOT / "conf.toml", profile, changes))


def of_frames(recipe: Recipe, frames: int) -> Recipe:
    """A length that data.frames refuses, as the public notebook has it."""
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"frames": frames})})


def test_the_published_network_costs_what_was_measured_on_a_gpu() -> None:
    # docs/benchmarks.md: GFLOP of the notebook's shape. Its critic is counted once there, its correction left out.
    floor = floor_of_step(of_frames(recipe("h100"), 12), LOSS_SETS["three"])
    assert floor["flop_of"]["encoder"] == pytest.approx(354e9, rel=0.002)
    # The published decoder has 803: it enlarges before its three 1x1 convolutions, ours after them, on a quarter of the pixels.
    # Forward and twice that backward: 2 FLOP * 3 passes * inputs * outputs * three quarters of the enlarged pixels.
    frames, saved = 16 * 3, 0
    for inputs, outputs, times, side_px in ((256, 256, 1, 16), (128, 256, 1, 32), (64, 128, 2, 64)):
        saved += 2 * 3 * inputs * outputs * frames * times * side_px**2 * 3 // 4
    assert floor["flop_of"]["decoder of reference latents"] == pytest.approx(803e9 - saved, rel=0.002)
    assert floor["flop_of"]["critic"] == pytest.approx(2 * 286e9, rel=0.02)
    assert floor["parameters"] == {"network": 11_315_539, "critic": 7_491_456}
    assert floor["flop"] == sum(floor["flop_of"].values())


def test_bytes_by_hand() -> None:
    tiny = recipe("cpu", *TINY)
    floor = floor_of_step(tiny, LOSSES)
    network, critic = floor["parameters"]["network"], floor["parameters"]["critic"]
    # AdamW: weight, gradient and two moments, each read and written in 4 bytes; the average once more.
    assert floor["bytes_of"]["optimizer"] == network * (32 + 8) + critic * 32
    # Two clips of 9 frames of 24 px as bytes, three latents of 3 x 3 places each as float32.
    assert floor["bytes_of"]["batch"] == 2 * 9 * 3 * 24 * 24 + 4 * 2 * 3 * CHANNELS * 3 * 3
    assert floor["bytes"] == sum(floor["bytes_of"].values())


@pytest.mark.parametrize(
    ("losses", "parts"),
    [
        (("encoder",), {"encoder"}),
        (("decoder",), {"decoder of reference latents"}),
        (("seraena",), {"decoder of reference latents", "critic"}),
        (("reconstruction",), {"encoder", "decoder of own latents"}),
        (("perceptual",), {"encoder", "decoder of own latents", "LPIPS"}),
    ],
)
def test_a_loss_costs_what_it_needs_and_no_more(losses: tuple[str, ...], parts: set[str]) -> None:
    floor = floor_of_step(recipe("cpu", *TINY), losses)
    assert set(floor["flop_of"]) == parts
    assert all(floor["flop_of"].values())
    assert (floor["parameters"]["critic"] > 0) == ("critic" in parts)


def test_twice_the_batch_is_twice_the_work_and_half_the_precision_half_the_activations() -> None:
    changes = [change for change in TINY if "batch_size" not in change]
    small, large = (
        floor_of_step(recipe("cpu", *changes, f"training.batch_size={n}"), LOSS_SETS["three"]) for n in (2, 4)
    )
    assert large["flop"] == 2 * small["flop"]
    assert large["bytes_of"]["optimizer"] == small["bytes_of"]["optimizer"]
    half = floor_of_step(recipe("cpu", *TINY, "training.precision=bfloat16"), LOSS_SETS["three"])
    assert half["flop"] == small["flop"]
    assert half["bytes_of"]["activations"] == pytest.approx(small["bytes_of"]["activations"] / 2, rel=0.01)


def test_the_command_prints_and_writes_the_counts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(tmp_path / "floor.json", ROOT / "conf.toml", "cpu", list(TINY))
    result, out = json.loads((tmp_path / "floor.json").read_text()), capsys.readouterr().out
    assert result["three"]["flop"] < result["five"]["flop"]
    assert f"{result['five']['flop'] / 1e9:.4g}" in out
    assert "batch 2, 9 frames, 24 px, float32" in out
