import pytest
import torch
from torch import Tensor

from model.evaluation.flicker import flicker


def frames(*values: float) -> Tensor:
    """One clip of plain grey frames: NTCHW with 2 x 2 px."""
    return torch.tensor(values).view(1, -1, 1, 1, 1).expand(1, len(values), 3, 2, 2)


def test_a_perfect_copy_does_not_flicker(clips: Tensor) -> None:
    video = clips.float() / 255
    assert flicker(video, video).tolist() == [0, 0, 0]


def test_an_error_that_stands_still_does_not_flicker() -> None:
    assert flicker(frames(0.3, 0.5, 0.4), frames(0.2, 0.4, 0.3)).item() == pytest.approx(0, abs=1e-6)


def test_known_values() -> None:
    # changes of the output 0.2, -0.2; of the clip 0, 0; sqrt((0.04 + 0.04) / 2)
    assert flicker(frames(0.5, 0.7, 0.5), frames(0.5, 0.5, 0.5)).item() == pytest.approx(0.2)
    # changes of the output 0.1, 0; of the clip 0, 0.3: differences 0.1, -0.3; sqrt((0.01 + 0.09) / 2)
    assert flicker(frames(0.0, 0.1, 0.1), frames(0.2, 0.2, 0.5)).item() == pytest.approx(0.05**0.5)


def test_a_still_output_has_the_motion_of_the_clip() -> None:
    assert flicker(frames(0.5, 0.5, 0.5), frames(0.0, 0.4, 0.0)).item() == pytest.approx(0.4)


def test_every_pixel_counts_alike() -> None:
    output = frames(0.5, 0.5).clone()
    output[0, 1, :, 0, 0] += 0.4  # one pixel of four: sqrt(0.16 / 4)
    assert flicker(output, frames(0.5, 0.5)).item() == pytest.approx(0.2)


def test_each_clip_has_its_own_value() -> None:
    outputs = torch.cat([frames(0.5, 0.5), frames(0.5, 0.6)])
    assert flicker(outputs, frames(0.5, 0.5).expand(2, 2, 3, 2, 2)).tolist() == pytest.approx([0, 0.1])


def test_what_a_screen_cannot_show_does_not_count() -> None:
    assert flicker(frames(1.0, 1.5, 3.0), frames(1.0, 1.0, 1.0)).item() == 0


def test_one_frame_cannot_flicker() -> None:
    assert flicker(frames(0.9), frames(0.1)).item() == 0
