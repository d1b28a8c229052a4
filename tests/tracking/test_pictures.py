from pathlib import Path

import numpy as np
from PIL import Image

from tracking.pictures import LARGE, SMALL, SMALL_PX, names_by_step, picture_name, spread, write_picture


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


def test_a_series_is_found_by_its_names_and_of_a_step_the_newer() -> None:
    early, late, other = (picture_name(key, 3, time) for key, time in (("val/a", 1), ("val/a", 10**14), ("val/ab", 1)))
    names = [
        late + LARGE,
        early + LARGE,
        early + SMALL,
        other + LARGE,
        picture_name("val/a", 20, 1) + LARGE,
        "notes.txt",
    ]
    found = names_by_step(names, "val/a", LARGE)
    assert list(found) == [3, 20]
    assert found[3] == late + LARGE
    assert names_by_step(names, "val/a", SMALL) == {3: early + SMALL}


def test_steps_are_spread_evenly_and_keep_both_ends() -> None:
    assert spread([4, 2], 5) == [2, 4]
    assert spread(range(0, 101, 10), 5) == [0, 20, 50, 80, 100]
