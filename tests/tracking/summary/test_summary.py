"""The page among the artifacts of a run, small and quick enough for every trial."""

import numpy as np
import skimage.data
from PIL import Image

from tests.tracking.summary.test_page import WHOLE
from tracking.diagnosis import diagnose
from tracking.run import start_run
from tracking.store import Store, artifact_folder
from tracking.summary.summary import EXTREMES, STRIPS, log_summary


def photograph() -> np.ndarray:
    """As large as the strips of three clips of 128 px."""
    return np.asarray(Image.fromarray(skimage.data.astronaut()).resize((1168, 392)))


def test_the_page_of_a_run_holds_its_pictures_and_stays_small(store: Store) -> None:
    run = start_run(store, "trial 007", "trial", None, {})
    for step in range(100, 1100, 100):
        run.picture(photograph(), STRIPS, step)
    run.picture(photograph(), EXTREMES, 1000)
    log_summary("trial 007", diagnose(WHOLE), WHOLE, store, run)
    text = (artifact_folder(store, run.id) / "summary.html").read_text(encoding="utf-8")
    assert text.count("<img") == 5
    assert len(text) < 300_000
    assert "after step 100:" in text
    assert "after step 1000:" in text


def test_a_run_without_pictures_has_its_page(store: Store) -> None:
    run = start_run(store, "t", "train", None, {})
    log_summary("t", diagnose(WHOLE), WHOLE, store, run)
    assert "no pictures" in (artifact_folder(store, run.id) / "summary.html").read_text(encoding="utf-8")
