from pathlib import Path

import av
import numpy as np
import pytest
import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.film import FRAMES_PER_SECOND, GAP_PX, REPEATS, film_frames, write_film


def test_input_and_output_stand_side_by_side_enlarged_one_clip_after_the_other(clips: Tensor) -> None:
    outputs = 1 - to_unit(clips)
    frames = film_frames(clips, outputs)
    side = 6 * 32  # the smallest whole multiple of 32 that is at least 192
    assert frames.shape == (3 * 9 * REPEATS, side, 2 * side + GAP_PX, 3)
    second_clip, third_frame = clips[1, 2].permute(1, 2, 0).numpy(), frames[9 * REPEATS + 2]
    np.testing.assert_array_equal(third_frame[::6, :side:6], second_clip)
    np.testing.assert_array_equal(third_frame[::6, side + GAP_PX :: 6], 255 - second_clip)
    np.testing.assert_array_equal(frames[:9], frames[9:18])


def test_sides_are_even() -> None:
    odd = torch.zeros(1, 1, 3, 193, 195, dtype=torch.uint8)
    assert [side % 2 for side in film_frames(odd, to_unit(odd)).shape[1:3]] == [0, 0]


def test_the_film_that_a_browser_plays_is_what_was_written(clips: Tensor, tmp_path: Path) -> None:
    path = tmp_path / "clips.mp4"
    write_film(path, clips, to_unit(clips))
    with av.open(path) as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.average_rate == FRAMES_PER_SECOND
        seen = np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(stream)])
    wanted = film_frames(clips, to_unit(clips))
    assert seen.shape == wanted.shape
    assert np.abs(seen.astype(float) - wanted).mean() < 6
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_an_error_and_leaves_nothing(clips: Tensor, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="missing"):
        write_film(tmp_path / "missing" / "clips.mp4", clips, to_unit(clips))
    assert list(tmp_path.iterdir()) == []
