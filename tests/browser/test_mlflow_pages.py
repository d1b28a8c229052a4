"""The pages that `python -m tracking.ui` names, with the study of six trials on them."""

import pytest

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

TRIALS = ["trial 000 seed_old", "trial 001 seed_new", "trial 002 seraena_author", "trial 003", "trial 004", "trial 005"]


def test_the_list_shows_every_trial(pages: dict[str, str], open_page: Open) -> None:
    opened = open_page(pages["its trials, best first"], "mlflow-trials")
    for name in TRIALS:
        opened.page.get_by_role("link", name=name, exact=True).wait_for()
    opened.shoot()
    assert opened.is_clean()


def test_the_chart_view_draws_the_curves_of_all_trials(pages: dict[str, str], open_page: Open) -> None:
    opened = open_page(pages["their curves and pictures"], "mlflow-curves")
    opened.page.get_by_text("adam/starved_share", exact=True).first.wait_for()
    opened.page.locator(".main-svg").first.wait_for()
    opened.shoot()
    assert opened.is_clean()


def test_the_compare_page_begins_with_the_objective(pages: dict[str, str], open_page: Open) -> None:
    (address,) = [address for title, address in pages.items() if "compared" in title]
    opened = open_page(address, "mlflow-compare")
    opened.page.locator(".parcoords .axis-title", has_text="score").first.wait_for()
    opened.page.get_by_text("trial 000 seed_old").first.wait_for()
    opened.shoot()
    assert opened.is_clean()


def test_a_run_says_what_it_is_and_lists_the_objective_first(pages: dict[str, str], open_page: Open) -> None:
    opened = open_page(pages["the best run"].split("/artifacts/")[0], "mlflow-run")
    opened.page.get_by_text("a short training that tries settings").or_(
        opened.page.get_by_text("which every study tries for comparison")
    ).first.wait_for()
    metrics = opened.page.locator("a[href*='/metrics/'], a[href*='metric']").all_inner_texts()
    opened.shoot()
    assert opened.is_clean()
    assert next(name for name in metrics if name.strip() and "metrics" not in name.lower()) == "score"


def test_the_artifact_viewer_shows_the_page_of_the_run(pages: dict[str, str], open_page: Open) -> None:
    opened = open_page(pages["the best run"], "mlflow-summary")
    frame = opened.page.frame_locator("iframe")
    frame.get_by_role("heading", name="Curves").wait_for()
    opened.shoot()
    assert opened.is_clean()
    assert frame.locator("svg").count() >= 9


def test_the_artifact_viewer_shows_the_report(pages: dict[str, str], open_page: Open) -> None:
    opened = open_page(pages["its report"], "mlflow-report")
    opened.page.frame_locator("iframe").locator(".main-svg").first.wait_for()
    opened.shoot()
    assert opened.is_clean()


def test_the_artifact_viewer_plays_the_film(pages: dict[str, str], open_page: Open) -> None:
    opened = open_page(pages["its film, input beside output"], "mlflow-film")
    video = opened.page.locator("video")
    video.wait_for()
    seconds = video.evaluate(
        "video => new Promise((good, bad) => { const end = () => good(video.duration); video.onerror = bad;"
        " video.readyState ? end() : video.addEventListener('loadedmetadata', end) })"
    )
    opened.shoot()
    assert opened.is_clean()
    assert seconds == pytest.approx(18 / 8, abs=0.3)  # one clip of nine frames, played twice
