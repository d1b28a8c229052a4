"""Numbers that follow from others."""

import math

from tracking.diagnosis import thresholds


def test_gaps_are_the_factors_that_they_stand_for() -> None:
    assert abs(thresholds.GAP_DOUBLE_DB - 20 * math.log10(255)) < 0.01
    assert abs(thresholds.GAP_SIGNED_DB - 20 * math.log10(2)) < 0.01
    assert (
        thresholds.GAP_WARNING_DB
        < thresholds.GAP_ERROR_DB
        < thresholds.GAP_DOUBLE_DB - thresholds.GAP_DOUBLE_TOLERANCE_DB
    )


def test_frames_divided_twice_stay_below_their_limit_and_dark_films_above() -> None:
    assert 1 / 255 < thresholds.INPUT_MAX_DOUBLE < 16 / 255
