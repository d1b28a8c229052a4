"""report.html of a study, as a file: of one that was really run, and of 50 trials with made-up numbers."""

from pathlib import Path

import pytest

from tests.browser.conftest import Open
from tests.commands import DoneStudy

pytestmark = pytest.mark.browser

HEADINGS = [
    "Verdict",
    "Ranking",
    "Score by trial",
    "Curves",
    "Parameters and score",
    "Importance of parameters",
    "Each parameter alone",
    "The two that matter most",
    "Shares of the losses",
    "Pictures",
    "Diagnosis",
    "Edge of the space and noise",
    "Short against long trainings",
    "Promotion and full run",
    "Where it comes from",
]
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
#: The first columns of the ranking.
HEADINGS_OF_RANKING = ("#", "trial", "score")
#: MLflow's viewer loads the whole file.
MOST_BYTES = 8_000_000
#: Of all points and lines of a figure, the least contrast to what lies behind them; 3 is what WCAG asks of graphics.
CONTRASTS = """
([selector, property]) => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = numbers(colour).map((part) => part / 255)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const back = luminance(getComputedStyle(document.body).backgroundColor);
  return [...document.querySelectorAll(selector)].map((each) => {
    const own = luminance(getComputedStyle(each)[property]);
    return (Math.max(own, back) + 0.05) / (Math.min(own, back) + 0.05);
  });
}
"""
#: Colours of the lines that WebGL has drawn: pixels that are not of the background.
DRAWN_PIXELS = """
(canvases) => canvases.reduce((sum, canvas) => {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [canvas.width, canvas.height];
  const context = copy.getContext("2d");
  context.drawImage(canvas, 0, 0);
  const data = context.getImageData(0, 0, copy.width, copy.height).data;
  let drawn = 0;
  for (let place = 3; place < data.length; place += 4) drawn += data[place] > 100;
  return sum + drawn;
}, 0)
"""
#: All figures: one of each section that has one, and one of short against long.
NUM_PLOTS = 8


@pytest.fixture(scope="session")
def report(done_study: DoneStudy) -> Path:
    (path,) = (done_study.root / "artifacts").glob("*/artifacts/report.html")
    return path


def test_fifty_trials_fit_into_the_viewer(fifty: Path) -> None:
    assert fifty.stat().st_size < MOST_BYTES


@pytest.mark.parametrize("width", [1400, 320])
def test_the_report_opens_without_the_outside_and_without_an_error(report: Path, open_page: Open, width: int) -> None:
    opened = open_page(report.as_uri(), f"report-{width}", width=width)
    opened.page.locator(".plot .main-svg").first.wait_for()
    assert opened.page.locator("section > h2").all_inner_texts() == HEADINGS
    opened.shoot()
    assert opened.is_clean()
    assert not opened.page.evaluate(WIDER)


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (1400, True), (320, False)])
def test_every_section_of_fifty_trials_is_drawn(fifty: Path, open_page: Open, width: int, dark: bool) -> None:
    opened = open_page(fifty.as_uri(), f"fifty-{width}{'-dark' if dark else ''}", width=width, dark=dark)
    page = opened.page
    assert page.locator("section > h2").all_inner_texts() == HEADINGS
    assert page.locator(".plot").count() == NUM_PLOTS
    for index in range(NUM_PLOTS):
        page.locator(".plot").nth(index).locator(".main-svg").first.wait_for()
    assert page.locator("#ranking tbody tr").count() == 50
    page.locator("#parallel canvas").first.wait_for()
    assert page.locator("#parallel canvas").evaluate_all(DRAWN_PIXELS) > 1000
    opened.shoot()
    assert opened.is_clean()
    assert not page.evaluate(WIDER)
    behind = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert behind == ("rgb(21, 23, 27)" if dark else "rgb(255, 255, 255)")
    for selector, kind, least in (
        ("#slices .point", "fill", 2.8),
        ("#parallel .tick text, #history .xtick text, #history .legendtext", "fill", 7.0),
        ("#importances .point path", "fill", 2.2),
        ("p, li, td, th, h2", "color", 4.5),
    ):
        found = page.evaluate(CONTRASTS, [selector, kind])
        assert found, selector
        assert min(found) >= least, selector


def test_a_click_on_a_heading_sorts_and_a_second_one_turns_round(fifty: Path, open_page: Open) -> None:
    opened = open_page(fifty.as_uri(), "fifty-sorted")
    column = HEADINGS_OF_RANKING.index("score")
    heading = opened.page.locator("#ranking th").nth(column)
    cells = opened.page.locator(f"#ranking tbody td:nth-child({column + 1})")
    assert heading.inner_text() == "score"
    for state, turned in (("descending", True), ("ascending", False)):
        heading.get_by_role("button").click()
        assert heading.get_attribute("aria-sort") == state
        scores = [float(text) for text in cells.all_inner_texts()]
        assert scores == sorted(scores, reverse=turned)
    opened.shoot()
    assert opened.is_clean()


def test_the_ranking_fits_a_small_desktop(fifty: Path, open_page: Open) -> None:
    opened = open_page(fifty.as_uri(), "fifty-1200", width=1200)
    box = opened.page.locator("#ranking .wide")
    assert box.evaluate("box => box.scrollWidth <= box.clientWidth")
    assert not opened.page.locator("#ranking .sideways").is_visible()
    opened.shoot()
    assert opened.is_clean()


@pytest.mark.parametrize("width", [1400, 1200, 320])
def test_input_and_best_are_in_sight_side_by_side(fifty: Path, open_page: Open, width: int) -> None:
    opened = open_page(fifty.as_uri(), f"fifty-pictures-{width}", width=width, touch=width == 320)
    page = opened.page
    page.locator("#pictures").scroll_into_view_if_needed()
    for kind in ("input", "best"):
        box = page.locator(f"#pictures .{kind} img:visible").bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= width
    tops = page.locator("#pictures img:visible").evaluate_all("all => all.map(one => one.getBoundingClientRect().top)")
    assert max(tops) - min(tops) < 1  # the same frame stands at the same height in every column
    assert page.locator("#pictures .sideways").is_visible() == (width == 320)
    # Whatever is looked at, the input stays beside it.
    page.locator("#pictures .grid").evaluate("grid => { grid.scrollLeft = grid.scrollWidth }")
    box = page.locator("#pictures .input img:visible").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    opened.shoot()
    assert opened.is_clean()


def test_the_slider_shows_the_pictures_of_its_step(fifty: Path, open_page: Open) -> None:
    opened = open_page(fifty.as_uri(), "fifty-first-step")
    slider, grid = opened.page.locator("#step"), opened.page.locator("#pictures .grid")
    assert opened.page.locator("#step-shown").inner_text() == "step 4"
    seen = "images => images.filter(image => image.offsetWidth).map(image => image.dataset.step)"
    assert set(grid.locator("img").evaluate_all(seen)) == {"0", "4"}  # input and reference have one picture each
    slider.press("Home")
    assert opened.page.locator("#step-shown").inner_text() == "step 2"
    assert set(grid.locator("img").evaluate_all(seen)) == {"0", "2"}
    opened.shoot()
    assert opened.is_clean()


def test_a_click_on_the_legend_takes_a_curve_away(fifty: Path, open_page: Open) -> None:
    opened = open_page(fifty.as_uri(), "fifty-legend")
    plot = opened.page.locator("#curves .plot")
    drawn = plot.locator(".scatterlayer .trace")
    drawn.first.wait_for()
    before = drawn.count()
    plot.locator(".legendtoggle").first.click()
    opened.page.wait_for_function(
        "number => document.querySelectorAll('#curves .scatterlayer .trace').length === number", arg=before - 1
    )
    assert opened.is_clean()
