import pytest
import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.alignment import SHIFTS, best_frame_shift, shift_gains


@pytest.mark.parametrize("late", [-4, -3, -1, 0, 1, 3, 4])
def test_a_planted_delay_is_found_with_its_sign(clips: Tensor, late: int) -> None:
    """roll(3) puts clip frame i at output frame i + 3: the output is 3 frames late."""
    target = to_unit(clips)
    blurred = torch.nn.functional.avg_pool2d(target.flatten(0, 1), 3, 1, 1).view_as(target)
    assert best_frame_shift(shift_gains(blurred.roll(late, dims=1), target)) == late


def test_a_still_clip_favours_no_shift(clips: Tensor) -> None:
    """Output frames of different quality must not look like a delay when nothing moves."""
    target = to_unit(clips[:, :1]).expand(-1, 9, -1, -1, -1)
    noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(0))
    assert best_frame_shift(shift_gains(target + 0.05 * noise, target)) == 0


def test_shifts_as_long_as_the_clip_are_left_out(clips: Tensor) -> None:
    target = to_unit(clips[:, :2])
    gains = shift_gains(target.roll(1, dims=1), target)
    assert gains.isfinite().any(dim=0).tolist() == [abs(shift) < 2 for shift in SHIFTS]
    assert best_frame_shift(gains) in (-1, 1)  # of two frames swapped, both are right


def test_the_clips_decide_together(clips: Tensor) -> None:
    target = to_unit(clips)
    output = torch.cat([target[:1], target[1:].roll(2, dims=1)])
    assert best_frame_shift(shift_gains(output, target)) in (0, 2)
    assert best_frame_shift(shift_gains(output[1:], target[1:])) == 2


def test_one_broken_frame_is_no_shift(clips: Tensor) -> None:
    target = to_unit(clips)
    broken = target.clone()
    broken[:, -1] = 0
    assert best_frame_shift(shift_gains(broken, target)) == 0
