"""report.html of a study, as a file: of one that was really run, and of 50 trials with made-up numbers."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from optuna.trial import TrialState

from search.opening import open_everything
from search.settings import load_settings
from tests.browser.conftest import SCREENSHOTS, Open
from tests.commands import ROOT, TINY, DoneStudy
from tests.search.recorded_trials import add_recorded, add_repeat, page_of

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
HEADINGS_OF_RANKING = ("place", "trial", "score")
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
            kind = ("cosine", "constant", "linear")[number % 3]
            add_recorded(opened, settings, score, state, name, pictures=True, schedule=kind, **weights)
        for number in range(40, 45):
            for seed in (1, 2):
                add_repeat(opened, number, seed, 4, 45.0 + number / 5 + seed)
                add_repeat(opened, number, seed, 8, 50.0 + number / 5 + seed)
        path = tmp_path_factory.mktemp("page") / "report.html"
        path.write_text(page_of(opened, settings), encoding="utf-8")
        yield path


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
    opened.shoot()
    assert opened.is_clean()
    assert not page.evaluate(WIDER)


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


def test_on_a_phone_wide_figures_scroll_in_their_box(fifty: Path, open_page: Open) -> None:
    opened = open_page(fifty.as_uri(), "fifty-phone-parallel", width=320)
    box = opened.page.locator("#parallel .wide")
    box.locator(".main-svg").first.wait_for()
    box.scroll_into_view_if_needed()
    assert opened.page.locator("#parallel .sideways").is_visible()
    assert box.evaluate("box => box.scrollWidth - box.clientWidth") > 300
    assert box.evaluate("box => { box.scrollLeft = 300; return box.scrollLeft }") == 300
    box.screenshot(path=str(SCREENSHOTS / f"{opened.name}.png"))
    assert opened.is_clean()
