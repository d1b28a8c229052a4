"""summary.html of a run, as a file: what a person sees who has the artifacts and no server."""

from pathlib import Path

import pytest

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.mark.parametrize(("width", "dark"), [(1400, False), (1400, True), (320, False)])
def test_the_page_of_a_run(best_folder: Path, open_page: Open, width: int, dark: bool) -> None:
    opened = open_page(
        (best_folder / "summary.html").as_uri(), f"run-{width}{'-dark' if dark else ''}", width=width, dark=dark
    )
    page = opened.page
    assert page.locator("h2").all_inner_texts() == [
        "Curves",
        "The same validation clips over the steps",
        "Clips",
        "Diagnosis",
    ]
    opened.shoot()
    assert opened.is_clean()
    assert page.locator("svg").count() >= 9
    sizes = page.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)")
    assert sizes
    assert all(sizes)
    assert not page.evaluate(WIDER)
    ink, paper = page.evaluate("(style => [style.color, style.backgroundColor])(getComputedStyle(document.body))")
    assert (ink, paper) == (
        ("rgb(230, 230, 230)", "rgb(22, 24, 27)") if dark else ("rgb(28, 30, 33)", "rgb(255, 255, 255)")
    )
