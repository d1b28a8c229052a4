"""summary.html among the artifacts of a run."""

from tracking.diagnosis import Diagnosis, Evidence
from tracking.run import Run
from tracking.store import Store, own_folder
from tracking.summary.page import to_html
from tracking.summary.pictures import pictures_of

SUMMARY = "summary.html"
#: Series of pictures: the first clips after each evaluation; the clips with the lowest and the highest PSNR at the end.
STRIPS, EXTREMES = "validation", "worst_and_best"


def log_summary(name: str, diagnosis: Diagnosis, evidence: Evidence, store: Store, run: Run) -> None:
    """Write the page of a run from its evidence and from the pictures that this machine has of it."""
    run.flush()  # its pictures are written by then
    folder = own_folder(store, run.id)
    strips = pictures_of(folder, STRIPS)
    extremes = pictures_of(folder, EXTREMES)[-1:]
    run.text(SUMMARY, to_html(name, diagnosis, evidence, strips, extremes))
