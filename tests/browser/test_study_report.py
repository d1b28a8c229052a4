"""report.html of a study, as a file: of one that was really run, and of 50 trials with made-up numbers."""

import shutil
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from optuna.trial import TrialState

from search.opening import open_everything
from search.settings import load_settings
from tests.browser.conftest import SCREENSHOTS, Open
from tests.commands import ROOT, TINY, DoneStudy
from tests.search.recorded_trials import add_recorded, add_repeat, page_of

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
    "Where it comes from",
]
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
BASELINES = ("seed_old", "seed_new", "seraena_author")
#: The first columns of the ranking.
HEADINGS_OF_RANKING = ("#", "trial", "score")
#: MLflow's viewer loads the whole file.
MOST_BYTES = 8_000_000
#: Processor time that the page of 50 trials may take.
MOST_SECONDS = 10.0
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


@pytest.fixture(scope="session")
def fifty(tmp_path_factory: pytest.TempPathFactory, blank_record: Path, cache_dir: Path) -> Iterator[Path]:
    """The page of 50 finished trials, six of them pruned, and of confirmations and longer trainings of five."""
    root = tmp_path_factory.mktemp("fifty") / "mlruns"
    shutil.copytree(blank_record, root)
    places = [f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    settings = load_settings(ROOT / "conf.toml", "cpu", [*TINY, *places])
    numbers = np.random.default_rng(0)
    opened = open_everything(settings, lambda _line: None, 50)
    with closing(opened.lease):
        for number in range(50):
            score = 40.0 + number / 5 + float(numbers.normal())
            name = BASELINES[number] if number < len(BASELINES) else ""
            state = TrialState.PRUNED if number % 8 == 7 else TrialState.COMPLETE
            weights = {weight: float(10 ** numbers.uniform(-1.9, -0.1)) for weight in ("encoder", "decoder", "seraena")}
            kind = ("cosine", "constant_with_warmup", "cosine_with_restarts")[number % 3]
            add_recorded(opened, settings, score, state, name, pictures=True, schedule=kind, **weights)
        for number in range(40, 45):
            for seed in (1, 2):
                add_repeat(opened, number, seed, 4, 45.0 + number / 5 + seed)
                add_repeat(opened, number, seed, 8, 50.0 + number / 5 + seed)
        path = tmp_path_factory.mktemp("page") / "report.html"
        before_s = time.process_time()
        text = page_of(opened, settings)
        assert time.process_time() - before_s < MOST_SECONDS
        path.write_text(text, encoding="utf-8")
        yield path


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


def swipe(page: "Page", start: tuple[float, float], end: tuple[float, float]) -> None:
    """One finger, as a touch screen reports it."""
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    touch("touchStart", start)
    for part in range(1, 11):
        touch("touchMove", (start[0] + (end[0] - start[0]) * part / 10, start[1] + (end[1] - start[1]) * part / 10))
    touch("touchEnd")


@pytest.mark.parametrize("section", ["history", "curves", "importances", "slices", "interaction", "shares"])
def test_a_finger_on_a_figure_scrolls_the_page_and_zooms_nothing(fifty: Path, open_page: Open, section: str) -> None:
    opened = open_page(fifty.as_uri(), f"fifty-touch-{section}", width=320, touch=True)
    page, plot = opened.page, opened.page.locator(f"#{section} .plot")
    plot.locator(".main-svg").first.wait_for()
    plot.evaluate("plot => scrollTo(0, scrollY + plot.getBoundingClientRect().top - 200)")
    ranges = "plot => JSON.stringify([plot._fullLayout.xaxis.range, plot._fullLayout.yaxis.range])"
    before, zoom = page.evaluate("scrollY"), plot.evaluate(ranges)
    swipe(page, (160, 400), (160, 250))
    page.wait_for_function("before => scrollY > before + 60", arg=before)
    swipe(page, (250, 400), (90, 400))
    assert plot.evaluate(ranges) == zoom
    assert plot.locator(".modebar-btn").count() == 0
    assert opened.is_clean()


def test_on_a_phone_a_finger_moves_wide_figures_in_their_box(fifty: Path, open_page: Open) -> None:
    opened = open_page(fifty.as_uri(), "fifty-phone-parallel", width=320, touch=True)
    box = opened.page.locator("#parallel .wide")
    box.locator(".main-svg").first.wait_for()
    box.evaluate("box => scrollTo(0, scrollY + box.getBoundingClientRect().top - 200)")
    assert opened.page.locator("#parallel .sideways").is_visible()
    swipe(opened.page, (270, 400), (70, 400))
    opened.page.wait_for_function("document.querySelector('#parallel .wide').scrollLeft > 100")
    box.screenshot(path=str(SCREENSHOTS / f"{opened.name}.png"))
    assert opened.is_clean()


@pytest.mark.parametrize("width", [1400, 320])
def test_no_label_of_an_axis_is_cut(fifty: Path, open_page: Open, width: int) -> None:
    opened = open_page(fifty.as_uri(), f"fifty-labels-{width}", width=width, touch=width == 320)
    opened.page.locator("#shares .main-svg").first.wait_for()
    cut = opened.page.evaluate(
        """() => [...document.querySelectorAll(".plot")].flatMap((plot) => {
            const room = plot.getBoundingClientRect();
            return [...plot.querySelectorAll(".xtick text, .ytick text, .tick text, .gtitle, .xtitle, .ytitle")]
                .filter((text) => {
                    const own = text.getBoundingClientRect();
                    return own.left < room.left - 1 || own.right > room.right + 1 || own.bottom > room.bottom + 1;
                }).map((text) => text.textContent);
        })"""
    )
    assert cut == []
    labels = opened.page.locator(".xtick text, .ytick text, .tick text").all_inner_texts()
    assert not any("µ" in label or "\u2212" in label for label in labels)  # 1e-4, and no logarithms
    assert opened.is_clean()
