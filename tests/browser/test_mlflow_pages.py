"""The pages that `python -m tracking.ui` names, with the study of six trials on them."""

import re

import pytest

from tests.browser.conftest import Open

pytestmark = pytest.mark.browser

#: Width of a picture in its own px, once it is there; no picture is an error.
LOADED_WIDTH = """image => new Promise((good, bad) => {
    const end = () => image.naturalWidth ? good(image.naturalWidth) : bad(image.src);
    image.onerror = bad;
    image.complete ? end() : image.addEventListener('load', end)
})"""
RUNS_OF_IMAGES = "images => images.map(image => new URL(image.src).searchParams.get('run_uuid'))"
TRIALS = ["trial 000 seed_old", "trial 001 seed_new", "trial 002 seraena_author", "trial 003", "trial 004", "trial 005"]


def test_the_list_shows_every_trial_with_its_score_and_settings_at_first_sight(
    pages: dict[str, str], open_page: Open
) -> None:
    opened = open_page(pages["its trials, best first"], "mlflow-trials")
    for name in TRIALS:
        opened.page.get_by_role("link", name=name, exact=True).wait_for()
    headings = opened.page.locator(".ag-header-cell[col-id*='`']").all()
    places = {cell.get_attribute("col-id"): cell.bounding_box()["x"] for cell in headings}
    name, score, *others = sorted(places, key=lambda column: places[column])
    assert (name, score) == ("attributes.`Run Name`", "metrics.`score`")
    assert others[:6] == [
        *(f"metrics.`val/{name}`" for name in ("psnr", "ssim", "lpips", "flicker")),
        *(f"params.`losses.{name}`" for name in ("encoder", "decoder")),
    ]
    cells = opened.page.locator("[role=row] [col-id='metrics.`score`']").all_inner_texts()
    values = [float(text.strip("…")) for text in cells if re.match(r"[0-9.]+", text)]
    opened.shoot()
    assert opened.is_clean()
    assert len(values) == len(TRIALS)
    assert values == sorted(values, reverse=True)
    assert values[0] > 0


def test_the_list_has_every_weight_the_rate_and_the_schedule_on_a_wide_screen(
    pages: dict[str, str], open_page: Open
) -> None:
    opened = open_page(pages["its trials, best first"], "mlflow-trials-wide", width=1920)
    for name in ("encoder", "decoder", "reconstruction", "perceptual", "seraena"):
        opened.page.locator(f".ag-header-cell[col-id='params.`losses.{name}`']").wait_for()
    opened.page.locator(".ag-header-cell[col-id='params.`optimizer.learning_rate`']").wait_for()
    opened.page.locator("[role=row] [col-id='params.`schedule.kind`']", has_text="cosine").first.wait_for()
    opened.shoot()
    assert opened.is_clean()


def test_the_chart_view_begins_with_the_score_and_draws_the_curves_of_all_trials(
    pages: dict[str, str], open_page: Open
) -> None:
    opened = open_page(pages["their curves and pictures"], "mlflow-curves")
    opened.page.get_by_text("score", exact=True).first.wait_for()
    opened.page.locator(".main-svg").first.wait_for()
    for name in TRIALS:
        opened.page.get_by_text(f"{name} (score)").first.wait_for()
    opened.shoot()
    assert opened.is_clean()


def test_the_image_grid_shows_the_strips_of_the_last_step_of_the_trials(pages: dict[str, str], open_page: Open) -> None:
    opened = open_page(pages["their curves and pictures"], "mlflow-pictures")
    opened.page.get_by_text("Pictures", exact=True).first.scroll_into_view_if_needed()
    for key in ("validation", "worst_and_best"):
        strip = opened.page.locator(f"img[src*='images%2F{key}%2Bstep%2B4%2B']").first
        strip.scroll_into_view_if_needed()
        width = strip.evaluate(LOADED_WIDTH)
        assert width >= 3 * 24  # input, reconstruction and difference of at least one frame, 24 px each
    runs = opened.page.locator("img[src*='images%2Fvalidation']").evaluate_all(RUNS_OF_IMAGES)
    opened.page.get_by_text("Pictures", exact=True).first.scroll_into_view_if_needed()
    opened.shoot()
    assert opened.is_clean()
    assert len(set(runs)) == len(TRIALS)


def test_the_compare_page_begins_with_the_objective(pages: dict[str, str], open_page: Open) -> None:
    (address,) = [address for title, address in pages.items() if "compared" in title]
    opened = open_page(address, "mlflow-compare")
    opened.page.locator(".parcoords .axis-title", has_text="score").first.wait_for()
    assert opened.page.get_by_text("Prompts", exact=True).count() == 0  # the menu for language models
    opened.page.get_by_text("trial 000 seed_old").first.wait_for()
    opened.shoot()
    assert opened.is_clean()


def test_a_run_says_what_it_is_and_lists_the_objective_first(pages: dict[str, str], open_page: Open) -> None:
    opened = open_page(pages["the best run"].replace("/artifacts/summary.html", ""), "mlflow-run")
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
