import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from model.evaluation.strips import strip
from search.page.pictures import LARGEST_CELL_PX, MOST_CLIPS, cut, data_uri, read


@pytest.mark.parametrize("crop_px", [24, 32, 64, 96, 128, 256])
def test_a_strip_is_cut_where_it_was_joined(crop_px: int) -> None:
    targets = torch.zeros(2, 9, 3, crop_px, crop_px, dtype=torch.uint8)
    targets[0], targets[1] = 40, 80
    outputs = torch.full(targets.shape, 0.0)
    outputs[0], outputs[1] = 60 / 255, 80 / 255
    inputs, made, differences = cut(strip(targets, outputs, 2), crop_px)
    side = made.shape[1]
    assert side <= LARGEST_CELL_PX
    assert inputs.shape == made.shape == differences.shape == (6 * side, side, 3)
    assert set(np.unique(inputs[: 3 * side])) == {40}
    assert set(np.unique(inputs[3 * side :])) == {80}
    assert set(np.unique(made[: 3 * side])) == {60}
    assert np.abs(differences[: 3 * side].astype(int) - (127.5 + 4 * 20)).max() <= 1
    assert np.abs(differences[3 * side :].astype(int) - 127.5).max() <= 1


def test_more_clips_than_a_page_holds_are_left_out() -> None:
    targets = torch.zeros(5, 9, 3, 32, 32, dtype=torch.uint8)
    inputs, _, _ = cut(strip(targets, targets / 255, 5), 32)
    assert inputs.shape[0] == 3 * MOST_CLIPS * inputs.shape[1]


def test_a_strip_of_other_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="a strip must be made of frames of 128 px, but has 300x100 px"):
        cut(np.zeros((100, 300, 3), np.uint8), 64)


def test_a_picture_goes_into_its_address_and_back(tmp_path: Path) -> None:
    pixels = np.full((8, 16, 3), 120, np.uint8)
    kind, _, content = data_uri(pixels).partition(",")
    assert kind == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as image:
        assert image.size == (16, 8)
        assert np.abs(np.asarray(image.convert("RGB")).astype(int) - 120).max() <= 3
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(read(tmp_path / "a.png"), pixels)
