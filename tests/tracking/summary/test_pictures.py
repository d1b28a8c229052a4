import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from tracking.pictures import picture_name, write_picture
from tracking.summary.pictures import MOST_STEPS, Picture, pictures_of


def grey(value: int) -> np.ndarray:
    return np.full((40, 60, 3), value, np.uint8)


def mean(picture: Picture) -> int:
    kind, content = picture.source.split(",")
    assert kind == "data:image/webp;base64"
    return round(np.asarray(Image.open(io.BytesIO(base64.b64decode(content)))).mean())


def test_a_series_comes_by_step_and_others_stay_out(tmp_path: Path) -> None:
    for key, step in (("validation", 10), ("validation", 2), ("other/key", 3)):
        write_picture(tmp_path, picture_name(key, step, 1), grey(10 * step))
    found = pictures_of(tmp_path, "validation")
    assert [(picture.step, mean(picture)) for picture in found] == [(2, 20), (10, 100)]
    assert [picture.step for picture in pictures_of(tmp_path, "other/key")] == [3]


def test_of_many_steps_some_are_shown(tmp_path: Path) -> None:
    for step in range(0, 101, 10):
        write_picture(tmp_path, picture_name("validation", step, 1), grey(step))
    found = [picture.step for picture in pictures_of(tmp_path, "validation")]
    assert (len(found), found[0], found[-1]) == (MOST_STEPS, 0, 100)


def test_a_run_without_pictures_has_none(tmp_path: Path) -> None:
    assert pictures_of(tmp_path, "validation") == []
