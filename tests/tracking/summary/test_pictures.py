import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tracking.pictures import picture_name, write_picture
from tracking.summary.pictures import Picture, pictures_of, spread


def grey(value: int, height: int = 40, width: int = 60) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def pixels(picture: Picture) -> np.ndarray:
    kind, content = picture.source.split(",")
    assert kind == "data:image/jpeg;base64"
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(content))))


def test_a_series_comes_by_step_and_others_stay_out(tmp_path: Path) -> None:
    for key, step in (("validation", 10), ("validation", 2), ("other/key", 3)):
        write_picture(tmp_path, picture_name(key, step, 1), grey(10 * step))
    found = pictures_of(tmp_path, "validation")
    assert [picture.step for picture in found] == [2, 10]
    assert [int(pixels(picture).mean()) for picture in found] == [20, 100]
    assert [picture.step for picture in pictures_of(tmp_path, "other/key")] == [3]


def test_of_a_step_that_was_drawn_twice_the_later_one_is_shown(tmp_path: Path) -> None:
    write_picture(tmp_path, picture_name("validation", 1, 2000), grey(200))
    write_picture(tmp_path, picture_name("validation", 1, 1000), grey(100))
    (picture,) = pictures_of(tmp_path, "validation")
    assert int(pixels(picture).mean()) == 200


def test_the_first_of_several_clips_is_cut_out_and_wide_ones_are_made_smaller(tmp_path: Path) -> None:
    image = np.concatenate([grey(50, 100, 1800), grey(150, 100, 1800)])
    write_picture(tmp_path, picture_name("validation", 1, 1), image)
    (picture,) = pictures_of(tmp_path, "validation", rows=2)
    assert pixels(picture).shape == (50, 900, 3)
    assert int(pixels(picture).mean()) == 50


def test_a_run_without_pictures_has_none(tmp_path: Path) -> None:
    assert pictures_of(tmp_path, "validation") == []


def test_of_many_steps_the_first_and_the_last_are_among_those_shown() -> None:
    assert spread(list(range(0, 101, 10)), 5) == [0, 20, 50, 80, 100]
    assert spread([1, 2], 5) == [1, 2]
