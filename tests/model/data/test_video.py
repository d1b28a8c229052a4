import numpy as np


def test_short_side_is_the_smaller_of_height_and_width(make_video):
    for height, width in ((24, 32), (32, 24)):
        assert make_video("a", "a", "0", np.zeros((9, height, width, 3), np.uint8)).short_side_px == 24
