"""How MLflow shows the trials of a study at first sight: best first, with the columns that matter, pictures beside the score.

MLflow keeps what a person has chosen in a page as a "shared view": JSON in a tag of the experiment, whose key stands in the
address. Names and forms are those of MLflow 3.17's pages; a test opens them in a browser.
"""

import json
from collections.abc import Sequence
from typing import Any

from model.training.settings import LOSSES
from tracking.failure import record_errors
from tracking.query import RunRow
from tracking.store import Store
from tracking.summary.summary import EXTREMES, STRIPS

VIEW_TAG = "mlflow.sharedViewState."
METRICS = ("score", "val/psnr", "val/ssim", "val/lpips", "val/flicker")
PARAMETERS = (*(f"losses.{name}" for name in LOSSES), "optimizer.learning_rate", "schedule.kind")
NAME = "attributes.`Run Name`"
#: In px; MLflow's own widths would leave room for half of the columns.
NAME_WIDTH, METRIC_WIDTH, PARAMETER_WIDTH = 190, 80, 90
#: Where MLflow draws metrics without a "/" in their names, such as the score.
PLAIN = "Model metrics"
PICTURES = "Pictures"
#: In px; room for the strips of three runs below each other, each in a square.
PICTURES_HEIGHT = 900


def share_view(store: Store, study: RunRow, trials: Sequence[RunRow]) -> str:
    """Write the view of a study's trials into the record.

    Args:
        store: the record.
        study: the study's run.
        trials: its runs, of which one has the number of steps at which pictures are shown.

    Returns:
        The key by which an address names the view.

    Raises:
        RecordError: it cannot be written.
    """
    view = json.dumps(listing(study.name) | charts(last_step(trials)), separators=(",", ":"))
    with record_errors("writing the columns of the list of trials"):
        store.client.set_experiment_tag(store.experiment_id, VIEW_TAG + study.id, view)
    return study.id


def last_step(trials: Sequence[RunRow]) -> int:
    """The step at which trials end; 0 where none says it."""
    return max((int(row.parameters.get("training.steps", 0)) for row in trials), default=0)


def listing(study: str) -> dict[str, Any]:
    """The trials of a study flat, by score (MLflow nests runs only by their dates), and the columns of the table."""
    metrics, parameters = [f"metrics.`{name}`" for name in METRICS], [f"params.`{name}`" for name in PARAMETERS]
    widths = dict.fromkeys(metrics, METRIC_WIDTH) | dict.fromkeys(parameters, PARAMETER_WIDTH)
    return {
        "searchFilter": f"tags.study = '{study}' and tags.role = 'trial'",
        "orderByKey": metrics[0],
        "orderByAsc": False,
        "selectedColumns": [*metrics, *parameters],
        "columnOrder": [NAME, *metrics, *parameters],
        "columnWidths": {NAME: NAME_WIDTH} | widths,
    }


def charts(step: int) -> dict[str, Any]:
    """The order of the charts, and what the pictures begin with.

    MLflow adds all other charts. By itself it begins with "adam", and shows of each picture step 0, where there is none, below
    the list of all parameters.
    """
    sections = [
        section(PLAIN),
        section(PICTURES, columns=2, cardHeight=PICTURES_HEIGHT),
        section("val"),
        section("loss"),
    ]
    return {
        "compareRunCharts": [picture_grid(key, step) for key in (STRIPS, EXTREMES)],
        "compareRunSections": sections,
        "isAccordionReordered": True,
    }


def picture_grid(key: str, step: int) -> dict[str, Any]:
    """A series of pictures, of one step of every run, as MLflow's pages keep it."""
    place = {"type": "IMAGE", "uuid": key, "metricSectionId": PICTURES, "runsCountToCompare": 10}
    return place | {"deleted": False, "isGenerated": True, "imageKeys": [key], "step": step, "showRunParams": False}


def section(name: str, **more: object) -> dict[str, Any]:
    """A group of charts as MLflow's pages keep it."""
    return {"uuid": name, "name": name, "display": True, "isReordered": False, "isGenerated": True} | more
