import math

import numpy as np
import pytest
import torch

from model.data.camera import Move, Wave, draw_move, film
from model.data.demo import DISPARITIES, photograph_folder, read_disparities, read_photograph

STILL = Wave(0, 0, 0, 0)


def at(value):
    return Wave(value, 0, 0, 0)


def move(across=0.5, down=0.5, view_share=1.0, angle=0.0, travel=0.0):
    return Move(at(across), at(down), at(view_share), at(angle), at(travel))


@pytest.fixture
def photograph():
    return torch.randint(0, 256, (3, 48, 64), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_a_camera_that_stands_still_sees_the_photograph(photograph):
    frames = film(photograph, None, move(), short_side_px=48, frames=3)
    assert frames.dtype == torch.uint8
    assert torch.equal(frames, photograph.permute(1, 2, 0).expand(3, -1, -1, -1))


def test_panning_moves_the_view_from_edge_to_edge(photograph):
    seen = [
        film(photograph, None, move(x, y, view_share=0.5), 24, 1)[0] for x, y in ((0, 0), (1, 0), (0, 1), (0.5, 0.5))
    ]
    whole = photograph.permute(1, 2, 0)
    expected = [whole[:24, :32], whole[:24, 32:], whole[24:, :32], whole[12:36, 16:48]]
    assert all(torch.equal(*pair) for pair in zip(seen, expected, strict=True))


def test_turning_by_a_quarter_turns_the_picture(photograph):
    square = photograph[:, :, :48]
    (frame,) = film(square, None, move(angle=math.pi / 2), 48, 1)
    assert torch.equal(frame, torch.rot90(square, 1, (1, 2)).permute(1, 2, 0))


def test_zooming_in_enlarges_the_middle(photograph):
    (frame,) = film(photograph, None, move(view_share=0.5), short_side_px=48, frames=1)
    middle = photograph[None, :, 12:36, 16:48].float()
    enlarged = torch.nn.functional.interpolate(middle, scale_factor=2, mode="bilinear")[0].permute(1, 2, 0)
    assert (frame.float() - enlarged)[
        1:-1, 1:-1
    ].abs().max() <= 1  # at its edge the camera sees what lies beyond the middle


def test_a_turned_view_comes_nearer_rather_than_leave_the_photograph():
    grey = torch.full((3, 48, 64), 200, dtype=torch.uint8)
    grey[:, 0], grey[:, -1], grey[:, :, 0], grey[:, :, -1] = 0, 0, 0, 0
    (frame,) = film(grey, None, move(angle=0.25, view_share=0.9), 48, 1)
    assert frame[4:-4, 4:-4].min() == 200


def test_large_photographs_are_scaled_down_without_aliasing():
    """Black and white noise seen from ten times as far is nearly grey: each frame pixel averages about a hundred."""
    noise = torch.randint(0, 2, (1, 480, 640), generator=torch.Generator().manual_seed(0)) * 255
    (frame,) = film(noise.to(torch.uint8).expand(3, -1, -1), None, move(), 48, 1)
    assert frame.float().std() < 16  # sampled without averaging: 64


def test_frames_are_at_most_a_third_longer_than_high(photograph):
    assert film(photograph[:, :20], None, move(), 15, 1).shape == (1, 15, 20, 3)
    assert film(photograph[:, :, :20], None, move(), 15, 1).shape == (1, 20, 15, 3)


def test_travel_to_the_right_view_shows_the_right_view():
    """The stereo pair is its own reference: the left view seen from the right must look like the photograph of the right."""
    folder = photograph_folder()
    left, right = (read_photograph(folder / f"motorcycle_{side}.png") for side in ("left", "right"))
    disparities = read_disparities(folder / DISPARITIES)
    # With a view of 300 of 500 rows one frame pixel is one photograph pixel; the middle 400 of 741 columns begin at 170.5.
    frames = [film(left, disparities, move(view_share=0.6, travel=travel), 300, 1)[0].float() for travel in (0, 1)]
    begin = round(170.5 - disparities.median().item())
    seen_right = right[:, 100:400, begin : begin + 400].permute(1, 2, 0).float()
    # The median, because what only one of the views shows (a tenth of the picture) cannot agree.
    errors = [(frame - seen_right).abs().median().item() for frame in frames]
    assert errors[1] < errors[0] / 4


def test_drawn_moves_stay_in_range_and_move():
    for number in range(200):
        drawn = draw_move(np.random.default_rng(number), with_parallax=number % 2 == 0)
        times = np.linspace(0, 1, 65)
        across, down, share, angle, travel = (
            np.array([wave.at(time) for time in times])
            for wave in (drawn.across, drawn.down, drawn.view_share, drawn.angle, drawn.travel)
        )
        for values, low, high in (
            (across, 0, 1),
            (down, 0, 1),
            (share, 0.45, 0.9),
            (angle, -0.25, 0.25),
            (travel, 0, 0.8),
        ):
            assert values.min() >= low - 1e-9
            assert values.max() <= high + 1e-9
        assert np.ptp(across) > 0.05
        assert (np.ptp(travel) > 0) == (number % 2 == 0)
