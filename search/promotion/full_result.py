"""What a registered full run came to, read back from the record."""

from dataclasses import dataclass
from pathlib import Path

from search.promotion.register import CHAMPION_TAG, MODEL, VERSION_TAG
from tracking.query import children
from tracking.recorded import artifact
from tracking.store import Store, artifact_folder


@dataclass(frozen=True)
class FullResult:
    """What a full run that was registered came to.

    Attributes:
        name: of the run.
        step: of its registered weights, the best of its evaluations.
        came: value by metric, of those that were estimated.
        places: by metric whether it came "below", "within" or "above" the estimate.
        version: "taehv version 1"; "" in older records.
        champion: what became of the champion, and why; "" in older records.
        folder: of the registered files.
    """

    name: str
    step: int
    came: dict[str, float]
    places: dict[str, str]
    version: str = ""
    champion: str = ""
    folder: Path = Path()


def full_result(store: Store, study_run: str) -> FullResult | None:
    """The newest registered full run below a study's run; None where there is none.

    Raises:
        RecordError: the record cannot be read.
    """
    for run in reversed(children(store, study_run, role="full")):
        estimates = artifact(store, run.id, f"{MODEL}/estimate.json")
        if estimates is None:
            continue
        step = artifact(store, run.id, f"{MODEL}/evaluation.json")["step"]
        came, places = ({name: each[key] for name, each in estimates.items()} for key in ("came", "place"))
        version, champion = (run.tags.get(tag, "") for tag in (VERSION_TAG, CHAMPION_TAG))
        return FullResult(run.name, step, came, places, version, champion, artifact_folder(store, run.id) / MODEL)
    return None
