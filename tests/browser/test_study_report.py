"""report.html of a study, as a file. Clicks on its parts belong here."""

from pathlib import Path

import pytest

from tests.browser.conftest import Open
from tests.commands import DoneStudy

pytestmark = pytest.mark.browser


@pytest.fixture(scope="session")
def report(done_study: DoneStudy) -> Path:
    (path,) = (done_study.root / "artifacts").glob("*/artifacts/report.html")
    return path


@pytest.mark.parametrize("width", [1400, 320])
def test_the_report_opens_without_the_outside_and_without_an_error(report: Path, open_page: Open, width: int) -> None:
    opened = open_page(report.as_uri(), f"report-{width}", width=width)
    opened.page.locator(".plotly-graph-div .main-svg").first.wait_for()
    opened.shoot()
    assert opened.is_clean()
