"""One run of the record: what is written about it, by its id, from any thread of one process."""

import json
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from mlflow.entities import Dataset, DatasetInput, InputTag, Param, RunTag
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT, MLFLOW_PARENT_RUN_ID
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH, MAX_PARAMS_TAGS_PER_BATCH, MAX_TAG_VAL_LENGTH

from model.settings import flatten
from tracking.curves import Curves
from tracking.failure import record_errors
from tracking.store import Store, artifact_folder

Role = Literal["study", "trial", "confirm", "full", "train"]
State = Literal["FINISHED", "KILLED", "FAILED"]

#: Tag that names values which could not be drawn: "loss/total at step 120, ...", the first step of each metric.
NONFINITE_TAG = "nonfinite"
#: Tag that names parameters whose text was cut.
CUT_TAG = "cut_parameters"


#: MLflow refuses a longer digest of a data set.
MAX_DATASET_DIGEST = 36


class Run:
    """One MLflow run: what comes is written at once, only metrics go in batches and `finish` sends the rest."""

    def __init__(self, store: Store, run_id: str, nonfinite: str = "") -> None:
        self.id = run_id
        self._client = store.client
        self._curves = Curves(store.client, run_id)
        self._nonfinite = dict(part.rsplit(" at step ", 1) for part in nonfinite.split(", ") if part)
        self._lock = threading.Lock()

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Record settings, nested or flat, as parameters "table.key"; texts too long for MLflow are cut and tagged.

        Raises:
            RecordError: a parameter was recorded before with another value.
        """
        texts = {name: str(value) for name, value in flatten(values).items()}
        long = sorted(name for name, text in texts.items() if len(text) > MAX_PARAM_VAL_LENGTH)
        rows = [Param(name, text[:MAX_PARAM_VAL_LENGTH]) for name, text in texts.items()]
        with record_errors(f"writing parameters of run {self.id}"):
            for start in range(0, len(rows), MAX_PARAMS_TAGS_PER_BATCH):
                self._client.log_batch(self.id, params=rows[start : start + MAX_PARAMS_TAGS_PER_BATCH])
        if long:
            self.tags({CUT_TAG: f"{', '.join(long)}: only the first {MAX_PARAM_VAL_LENGTH} characters are kept"})

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        """Record one point of each curve; values that are not finite become a tag."""
        for name in self._curves.add(values, step):
            with self._lock:
                known = name in self._nonfinite
                self._nonfinite.setdefault(name, str(step))
                text = ", ".join(f"{metric} at step {first}" for metric, first in self._nonfinite.items())
            if not known:
                self.tags({NONFINITE_TAG: text})

    def tags(self, values: Mapping[str, str]) -> None:
        """Set tags; a text too long for MLflow ends in three dots."""
        rows = [RunTag(name, shorten(str(value))) for name, value in values.items()]
        with record_errors(f"writing tags of run {self.id}"):
            self._client.log_batch(self.id, tags=rows)

    def text(self, path: str, text: str) -> None:
        """Write a text as the artifact `path`."""
        with record_errors(f"writing {path} of run {self.id}"):
            self._client.log_text(self.id, text, path)

    def json(self, path: str, value: Any) -> None:
        """Write a value as the JSON artifact `path`."""
        self.text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def picture(self, image: np.ndarray, key: str, step: int) -> None:
        """Record an image of a step, for MLflow's image grid.

        Args:
            image: uint8, HWC, RGB.
            key: name of the series of images.
            step: training step.
        """
        assert image.dtype == np.uint8, f"a picture must be uint8, but is {image.dtype}"
        assert image.ndim == 3, f"a picture must be HWC, but has shape {image.shape}"
        with record_errors(f"writing a picture of run {self.id}"):
            # Asynchronous writing, MLflow's default, loses pictures when the process is killed.
            self._client.log_image(self.id, image, key=key, step=step, synchronous=True)

    def dataset(self, name: str, digest: str, source: str) -> None:
        """Record what the run is trained on, shown by MLflow beside the run; `source` is the artifact that lists it."""
        uri = json.dumps({"uri": f"runs:/{self.id}/{source}"})
        entry = Dataset(name=name, digest=digest[:MAX_DATASET_DIGEST], source_type="local", source=uri)
        with record_errors(f"writing the data set of run {self.id}"):
            self._client.log_inputs(self.id, [DatasetInput(entry, [InputTag(MLFLOW_DATASET_CONTEXT, "training")])])

    def flush(self) -> None:
        """Send what is buffered."""
        self._curves.flush()

    def finish(self, state: State) -> None:
        """Send what is buffered and close the run."""
        self.flush()
        with record_errors(f"closing run {self.id}"):
            self._client.set_terminated(self.id, state)


def start_run(store: Store, name: str, role: Role, parent: Run | str | None, tags: Mapping[str, str]) -> Run:
    """Begin a run of the experiment, below `parent` where one is given."""
    own: dict[str, str] = {**tags, "role": role}
    if parent is not None:
        own[MLFLOW_PARENT_RUN_ID] = parent.id if isinstance(parent, Run) else parent
    texts = {tag: shorten(str(value)) for tag, value in own.items()}
    with record_errors(f"starting run '{name}'"):
        run = store.client.create_run(store.experiment_id, run_name=name, tags=texts)
    return Run(store, run.info.run_id)


def reopen_run(store: Store, run_id: str) -> Run:
    """Go on with a run of the record; it counts as running until it is finished again.

    Raises:
        ValueError: the record has no such run.
    """
    with record_errors(f"opening run {run_id}"):
        try:
            found = store.client.get_run(run_id)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise ValueError(
                f"a run must be in the record, but {store.root} has no '{run_id}'; "
                "python -m tracking.ui shows those that it has"
            ) from error
        store.client.update_run(run_id, status="RUNNING")
    return Run(store, run_id, found.data.tags.get(NONFINITE_TAG, ""))


def move_checkpoint(store: Store, run_id: str, folder: Path) -> None:
    """Make a folder of checkpoint files, where there is one, the run's artifact `checkpoint`.

    Inside the record it is renamed and not copied: it is hundreds of MB, and so it is there whole or not at all.
    """
    if not folder.exists():
        return
    remove_checkpoint(store, run_id)
    artifacts = artifact_folder(store, run_id)
    with record_errors(f"writing the checkpoint of run {run_id}"):
        artifacts.mkdir(parents=True, exist_ok=True)
        shutil.move(folder, artifacts / "checkpoint")


def remove_checkpoint(store: Store, run_id: str) -> None:
    """Delete the checkpoint of a run, where it has one; everything else of the run stays."""
    folder = artifact_folder(store, run_id) / "checkpoint"
    if folder.exists():
        shutil.rmtree(folder)  # refuses a link, so nothing outside the record can go


def shorten(text: str) -> str:
    """Cut a text to what MLflow stores as a tag."""
    return text if len(text) <= MAX_TAG_VAL_LENGTH else text[: MAX_TAG_VAL_LENGTH - 3] + "..."
