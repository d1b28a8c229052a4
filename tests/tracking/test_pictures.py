from pathlib import Path

import numpy as np
from PIL import Image

from tracking.pictures import SMALL_PX, picture_name, write_picture


def test_a_picture_has_a_small_copy_and_a_name_that_the_grid_reads(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (100, 2 * SMALL_PX, 3), dtype=np.uint8)
    large, small = write_picture(tmp_path, picture_name("val/strips", 250, 1_700_000_000_000), pixels)
    assert large.startswith("images/val~strips+step+250+timestamp+1700000000000+")
    assert (large.endswith(".png"), small) == (True, large.replace(".png", "+compressed.webp"))
    with Image.open(tmp_path / large) as image:
        assert np.array_equal(np.asarray(image), pixels)
    with Image.open(tmp_path / small) as image:
        assert image.size == (SMALL_PX, 50)


def test_two_pictures_of_one_step_have_names_of_their_own() -> None:
    assert picture_name("a", 1, 2) != picture_name("a", 1, 2)
