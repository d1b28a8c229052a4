import numpy as np
import pytest
import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.strips import strip


def test_shows_first_middle_and_last_frame_of_the_first_clips(clips: Tensor) -> None:
    """32 px are drawn three times as large; a row holds three groups of three, 4 px apart."""
    picture = strip(clips, to_unit(clips), 2)
    assert picture.dtype == np.uint8
    assert picture.shape == (2 * 96 + 4, 3 * 3 * 96 + 2 * 4, 3)
    for row, clip in enumerate(clips[:2]):
        for group, frame in enumerate((0, 4, 8)):
            top, left = row * 100, group * (3 * 96 + 4)
            expected = clip[frame].permute(1, 2, 0).numpy()
            assert np.array_equal(picture[top : top + 96 : 3, left : left + 96 : 3], expected)
            assert np.array_equal(
                picture[top : top + 96, left : left + 96], picture[top : top + 96, left + 96 : left + 192]
            )


def test_the_difference_is_grey_plus_four_times_the_error(clips: Tensor) -> None:
    same = strip(clips, to_unit(clips), 1)[:96, 192:288]
    assert (same == 128).all()
    middle = torch.full_like(clips[:1], 102)  # 0.4
    brighter = strip(middle, torch.full(middle.shape, 0.45), 1)[:96, 192:288]
    darker = strip(middle, torch.full(middle.shape, 0.35), 1)[:96, 192:288]
    assert (brighter == round(255 * 0.7)).all()
    assert (darker == round(255 * 0.3)).all()


@pytest.mark.parametrize(("side_px", "drawn_px"), [(32, 96), (48, 96), (96, 96), (40, 120), (128, 128)])
def test_small_crops_are_enlarged_by_whole_factors(side_px: int, drawn_px: int) -> None:
    clip = torch.zeros(1, 9, 3, side_px, side_px, dtype=torch.uint8)
    assert strip(clip, to_unit(clip), 1).shape[0] == drawn_px


def test_raw_outputs_are_clamped_and_one_frame_is_drawn_once() -> None:
    clip = torch.full((1, 1, 3, 96, 96), 255, dtype=torch.uint8)
    picture = strip(clip, to_unit(clip) + 5, 3)
    assert picture.shape == (96, 3 * 96, 3)
    assert (picture[:, 96:192] == 255).all()
    assert (picture[:, 192:] == 128).all()
