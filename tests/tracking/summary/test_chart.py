"""What is drawn is read back out of the SVG."""

import math
import re
from xml.etree import ElementTree

import pytest

from tracking.summary.chart import BOTTOM, HEIGHT, LEFT, MOST_POINTS, RIGHT, TOP, WIDTH, histogram, line_chart, number


def points(chart: str) -> list[list[tuple[float, float]]]:
    return [
        [(float(x), float(y)) for x, y in (pair.split(",") for pair in path.split())]
        for path in re.findall(r'points="([^"]+)"', chart)
    ]


def test_a_curve_goes_from_corner_to_corner() -> None:
    ((first, middle, last),) = points(line_chart("t", {"loss": [(0, 1.0), (5, 2.0), (10, 3.0)]}))
    assert first == (LEFT, HEIGHT - BOTTOM)
    assert middle == ((LEFT + WIDTH - RIGHT) / 2, (TOP + HEIGHT - BOTTOM) / 2)
    assert last == (WIDTH - RIGHT, TOP)


def test_what_has_no_place_is_left_out() -> None:
    curve = [(0, 1.0), (1, math.nan), (2, math.inf), (3, 0.0), (4, 100.0)]
    assert [len(line) for line in points(line_chart("t", {"a": curve}))] == [3]
    assert [len(line) for line in points(line_chart("t", {"a": curve}, logarithmic=True))] == [2]


@pytest.mark.parametrize("curves", [{}, {"a": []}, {"a": [(1, math.nan)]}])
def test_nothing_to_draw_is_no_picture(curves: dict) -> None:
    assert line_chart("t", curves) == ""


def test_a_single_point_is_seen() -> None:
    assert "<circle" in line_chart("t", {"a": [(4, 2.0)]})


def test_long_curves_are_thinned_and_keep_their_end() -> None:
    (line,) = points(line_chart("t", {"a": [(step, float(step)) for step in range(10_000)]}))
    assert len(line) <= MOST_POINTS
    assert line[-1] == (WIDTH - RIGHT, TOP)


def test_a_level_lies_within_the_axis_and_is_named() -> None:
    chart = line_chart("t", {"norm": [(0, 1.0), (9, 3.0)]}, levels={"clip": 5.0})
    (level,) = re.findall(r'y1="([\d.]+)" y2="[\d.]+" class="level"', chart)
    assert float(level) == TOP
    assert "clip 5 (dashed)" in chart


def test_foreign_names_are_text() -> None:
    chart = line_chart("<b>", {"<script>": [(0, 1.0), (1, 2.0)]})
    assert "<script>" not in chart
    ElementTree.fromstring(chart)


def test_a_histogram_counts() -> None:
    chart = histogram("clips", [10.0, 10.1, 11.0, 30.0], "dB")  # two intervals, from 10 to 20 and from 20 to 30
    assert re.findall(r"<title>(\d+)</title>", chart) == ["3", "1"]
    assert re.findall(r'<rect [^>]*height="([\d.]+)"', chart) == ["188.0", "62.7"]
    assert histogram("clips", [math.nan], "dB") == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (1000.0, "1000"), (3e-4, "3e-4"), (1.25e-7, "1.2e-7"), (23.456, "23.46"), (2e6, "2e6")],
)
def test_numbers_are_short(value: float, text: str) -> None:
    assert number(value) == text


def test_there_is_no_half_step() -> None:
    chart = line_chart("t", {"a": [(2, 1.0), (3, 1.0), (4, 3.0)]})
    assert re.findall(r'text-anchor="middle">([^<]+)<', chart) == ["2", "3", "4"]
