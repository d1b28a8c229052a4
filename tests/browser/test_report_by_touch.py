"""report.html under a finger, on a screen of 320 px: what scrolls, what stays, and what can be read."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser.conftest import SCREENSHOTS, Open

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser


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
    labels = opened.page.locator(".xtick text, .ytick text, .tick text").all_text_contents()
    assert not any("µ" in label or "\u2212" in label for label in labels)  # 1e-4, and no logarithms
    assert opened.is_clean()
