import json
import os
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image

from model.cli import run
from model.evaluate import main
from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV
from model.network.weights import save_weights

ROOT = Path(__file__).resolve().parents[2]
TRUNKS = ROOT.parent / "shared" / "weights"

Command = Callable[..., int]


@pytest.fixture
def network() -> NetworkSettings:
    return NetworkSettings(
        variant="base",
        latent_channels=0,
        patch_size=0,
        encoder_time_strides=(),
        decoder_time_strides=(),
        width=0.125,
        initialisation="signal",
        weights="",
    )


@pytest.fixture
def checkpoint(network: NetworkSettings, tmp_path: Path) -> Path:
    """One of ours: it says what network it is."""
    path = tmp_path / "ours" / "model.safetensors"
    path.parent.mkdir()
    metadata = {"network": json.dumps(network.model_dump(mode="json")), "step": "0"}
    save_weights(TAEHV(network).state_dict(), path, metadata)
    return path


@pytest.fixture
def released(network: NetworkSettings, tmp_path: Path) -> Path:
    """A bare state dict, as others release it."""
    path = tmp_path / "released.pth"
    torch.save(TAEHV(network).state_dict(), path)
    return path


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    """Three short pans over photographs."""
    folder = tmp_path / "videos"
    folder.mkdir()
    for photograph in ("astronaut", "coffee", "rocket"):
        pixels = getattr(skimage.data, photograph)()
        with av.open(str(folder / f"{photograph}.mkv"), "w") as container:
            stream = container.add_stream("libx264rgb", rate=25, options={"crf": "0"})
            stream.width, stream.height, stream.pix_fmt = 64, 48, "rgb24"
            for step in range(12):
                window = np.ascontiguousarray(pixels[150:198, 150 + 2 * step : 214 + 2 * step])
                container.mux(stream.encode(av.VideoFrame.from_ndarray(window, format="rgb24")))
            container.mux(stream.encode())
    return folder


@pytest.fixture
def command(tiny_changes: list[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Give the command as a person does; returns the exit code."""
    # No way out of the machine, so that LPIPS is there only where a test brings its trunk.
    for name in ("https_proxy", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(urllib.request, "_opener", urllib.request.build_opener())

    def give(*arguments: object) -> int:
        changes = [word for change in [*tiny_changes, "data.crop_px=32"] for word in ("--set", change)]
        words = ["--config", ROOT / "conf.toml", "--profile", "cpu", *changes, *arguments]
        monkeypatch.setattr(sys, "argv", ["model.evaluate", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            run(main)
        return int(left.value.code or 0)

    return give


def test_scores_every_video_of_a_folder(
    command: Command, checkpoint: Path, videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(checkpoint, "--data", videos, "--set", "network.variant=ltx") == 0
    shown = capsys.readouterr().out
    assert "network: base, width 0.125, as the checkpoint says; [network] of the settings is not used" in shown
    assert "no LPIPS: val/lpips and val/overall are absent. LPIPS needs the file squeezenet1_1-b8a52dc0.pth" in shown
    # 4 validation clips are too few for 3 videos alike: 2 of each.
    assert "model.safetensors on 6 clips of 3 sources, over which the intervals are" in shown
    assert "warning: the PSNR does not beat" in shown  # the weights are random
    result = json.loads((checkpoint.parent / "model-evaluation" / "evaluation.json").read_text())
    assert f"{result['psnr']:.2f}" in shown
    assert {clip["name"].split()[0] for clip in result["clips"]} == {"astronaut.mkv", "coffee.mkv", "rocket.mkv"}
    assert result["sources"] == 3
    assert result["lpips"] is None
    assert result["settings"]["network"]["variant"] == "base"
    assert result["baselines"].keys() == {"black", "grey", "mean_colour", "average_8x8"}
    assert result["baselines"]["average_8x8"]["psnr"] > result["baselines"]["black"]["psnr"]


def test_ours_and_released_weights_get_the_same_scores(
    command: Command, checkpoint: Path, released: Path, videos: Path, tmp_path: Path
) -> None:
    assert command(checkpoint, "--data", videos, "--out", tmp_path / "a") == 0
    assert command(released, "--data", videos, "--out", tmp_path / "b") == 0
    first, second = (json.loads((tmp_path / name / "evaluation.json").read_text()) for name in "ab")
    assert first.pop("checkpoint") != second.pop("checkpoint")
    assert first == second


def test_draws_the_first_and_the_worst_clips(command: Command, released: Path, videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert command(released, "--data", videos, "--out", out) == 0
    result = json.loads((out / "evaluation.json").read_text())
    worst = min(range(6), key=lambda index: result["clips"][index]["psnr"])
    first, lowest = (np.asarray(Image.open(out / "pictures" / name)) for name in ("first.png", "worst.png"))
    assert first.shape == lowest.shape == (96, 3 * 3 * 96 + 8, 3)
    assert np.array_equal(first, lowest) == (worst == 0)


def test_without_data_only_the_validation_side_is_scored(
    command: Command, released: Path, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    split = (
        "--set",
        f"data.source={videos}",
        "--set",
        "data.validation_share=0.2",
        "--set",
        "data.source_pattern=^(.+)$",
    )
    assert command(released, *split, "--out", tmp_path / "out") == 0, capsys.readouterr().err
    result = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert len(result["clips"]) == 4
    assert 0 < len({clip["name"].split()[0] for clip in result["clips"]}) < 3


def test_lpips_is_measured_where_its_trunk_is(
    command: Command, released: Path, videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not TRUNKS.is_dir():
        pytest.skip("needs SqueezeNet's weights in ../shared/weights")
    monkeypatch.setenv("TORCH_HOME", os.fspath(TRUNKS))
    assert command(released, "--data", videos, "--out", tmp_path / "out") == 0
    result = json.loads((tmp_path / "out" / "evaluation.json").read_text())
    assert 0.1 < result["lpips"] < 1.5
    assert result["lpips_backbone"] == "squeeze"
    assert len(result["lpips_weights"]) == 12
    assert result["intervals"]["val/lpips"][0] <= result["lpips"] <= result["intervals"]["val/lpips"][1]


def test_wrong_use_leaves_with_2_and_one_line(
    command: Command, checkpoint: Path, released: Path, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    torn = tmp_path / "torn.safetensors"
    torn.write_bytes(checkpoint.read_bytes()[:100])
    mistakes: dict[str, tuple[object, ...]] = {
        "nothing.pth": (tmp_path / "nothing.pth",),
        "torn.safetensors must be a safetensors file": (torn,),
        "network.width=0.125": (released, "--data", videos, "--set", "network.width=0.25"),
        "multiples of 8": (released, "--data", videos, "--set", "data.crop_px=36"),
        "did you mean 'width'?": (released, "--set", "network.widht=1"),
        str(empty): (released, "--data", empty),
    }
    for words, arguments in mistakes.items():
        assert command(*arguments, "--out", tmp_path / "out") == 2
        errors = capsys.readouterr().err
        assert words in errors
        assert errors.count("\n") == 1, errors


def test_results_that_cannot_be_written_are_said_before_anything_is_computed(
    command: Command, released: Path, videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(released, "--data", videos, "--out", released / "inside a file") == 1
    shown = capsys.readouterr()
    assert "give another with --out" in shown.err
    assert "data:" not in shown.out
