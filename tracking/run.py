"""One run of the record: what is written about it, by its id, from any thread of one process."""

import json
import shutil
import threading
import time
import uuid
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Literal

import numpy as np
from mlflow.exceptions import MlflowException
from mlflow.utils.mlflow_tags import MLFLOW_LOGGED_IMAGES, MLFLOW_PARENT_RUN_ID, MLFLOW_RUN_NOTE
from mlflow.utils.validation import MAX_PARAM_VAL_LENGTH, MAX_PARAMS_TAGS_PER_BATCH, MAX_TAG_VAL_LENGTH

from model.settings import flatten
from tracking.artifacts import upload, write_artifact
from tracking.curves import Curves
from tracking.delivery import KEY_PREFIX
from tracking.failure import record_errors
from tracking.operations import KEY_TAG, Batch, Create, Inputs, Remove, Status
from tracking.pictures import picture_name, write_picture
from tracking.store import Store, artifact_folder, own_folder

Role = Literal["study", "trial", "confirm", "full", "train"]
State = Literal["FINISHED", "KILLED", "FAILED"]

#: Tag that names values which could not be drawn: "loss/total at step 120, ...", the first step of each metric.
NONFINITE_TAG = "nonfinite"
#: Tag that names parameters whose text was cut.
CUT_TAG = "cut_parameters"

#: Tag whose Markdown MLflow shows as the description of a run.
DESCRIPTION = MLFLOW_RUN_NOTE

#: Folder of the artifacts that holds a run's weights and all that resuming needs.
CHECKPOINT = "checkpoint"

#: MLflow refuses a longer digest of a data set.
MAX_DATASET_DIGEST = 36


class Run:
    """One MLflow run: what comes is written at once, but metrics go in batches and pictures in a thread; `flush` ends both."""

    def __init__(self, store: Store, run_id: str, nonfinite: str = "") -> None:
        self.id = run_id
        self._store = store
        self._curves = Curves(store.outbox, run_id)
        self._nonfinite = dict(part.rsplit(" at step ", 1) for part in nonfinite.split(", ") if part)
        self._pictures: list[Future[None]] = []
        self._drawing: ThreadPoolExecutor | None = None
        self._lock = threading.Lock()

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Record settings, nested or flat, as parameters "table.key"; texts too long for MLflow are cut and tagged.

        Raises:
            RecordError: a parameter was recorded before with another value.
        """
        texts = {name: str(value) for name, value in flatten(values).items()}
        long = sorted(name for name, text in texts.items() if len(text) > MAX_PARAM_VAL_LENGTH)
        rows = [(name, text[:MAX_PARAM_VAL_LENGTH]) for name, text in texts.items()]
        with record_errors(f"writing parameters of run {self.id}"):
            for start in range(0, len(rows), MAX_PARAMS_TAGS_PER_BATCH):
                part = dict(rows[start : start + MAX_PARAMS_TAGS_PER_BATCH])
                self._store.outbox.send(Batch(self.id, parameters=part))
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
        texts = {name: shorten(str(value)) for name, value in values.items()}
        with record_errors(f"writing tags of run {self.id}"):
            self._store.outbox.send(Batch(self.id, tags=texts))

    def text(self, path: str, text: str) -> None:
        """Write a text as the artifact `path`."""
        with record_errors(f"writing {path} of run {self.id}"):
            write_artifact(self._store, self.id, path, text.encode())

    def json(self, path: str, value: Any) -> None:
        """Write a value as the JSON artifact `path`."""
        self.text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")

    def picture(self, image: np.ndarray, key: str, step: int) -> None:
        """Record an image of a step, for MLflow's image grid; it must not be changed afterwards.

        A thread encodes and writes it, which takes longer than all else that is written of a measurement; `flush` raises
        what went wrong.

        Args:
            image: uint8, HWC, RGB.
            key: name of the series of images.
            step: training step.
        """
        assert image.dtype == np.uint8, f"a picture must be uint8, but is {image.dtype}"
        assert image.ndim == 3, f"a picture must be HWC, but has shape {image.shape}"
        if self._drawing is None:
            self.tags({MLFLOW_LOGGED_IMAGES: "True"})  # without it the pages show no image grid
            self._drawing = ThreadPoolExecutor(1, "pictures")
        self._pictures.append(self._drawing.submit(self._draw, picture_name(key, step, now_ms()), image))

    def _draw(self, name: str, image: np.ndarray) -> None:
        with record_errors(f"writing a picture of run {self.id}"):
            for path in write_picture(own_folder(self._store, self.id), name, image):
                upload(self._store, self.id, path)

    def dataset(self, name: str, digest: str, source: str) -> None:
        """Record what the run is trained on, shown by MLflow beside the run; `source` is the artifact that lists it."""
        with record_errors(f"writing the data set of run {self.id}"):
            self._store.outbox.send(Inputs(self.id, name, digest[:MAX_DATASET_DIGEST], source))

    def flush(self) -> None:
        """Send what is buffered, and wait for the pictures."""
        self._curves.flush()
        pictures, self._pictures = self._pictures, []
        for picture in pictures:
            picture.result()

    def finish(self, state: State) -> None:
        """Send what is buffered and close the run."""
        self.flush()
        if self._drawing is not None:
            self._drawing.shutdown()
        with record_errors(f"closing run {self.id}"):
            self._store.outbox.send(Status(self.id, state, now_ms()))


def start_run(store: Store, name: str, role: Role, parent: Run | str | None, tags: Mapping[str, str]) -> Run:
    """Begin a run of the experiment, below `parent` where one is given."""
    own: dict[str, str] = {**tags, "role": role}
    if parent is not None:
        own[MLFLOW_PARENT_RUN_ID] = parent.id if isinstance(parent, Run) else parent
    key = f"{KEY_PREFIX}{uuid.uuid4().hex}"
    if store.keyed:
        own[KEY_TAG] = key
    texts = {tag: shorten(str(value)) for tag, value in own.items()}
    with record_errors(f"starting run '{name}'"):
        run_id = store.outbox.send(Create(key, name, texts, now_ms()))
    return Run(store, run_id or key)


def reopen_run(store: Store, run_id: str) -> Run:
    """Go on with a run of the record; it counts as running until it is finished again.

    Raises:
        ValueError: the record has no such run.
    """
    with record_errors(f"opening run {run_id}"):
        try:
            found = store.client.get_run(store.delivery.id_of(run_id))
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            raise ValueError(
                f"a run must be in the record, but {store.place} has no '{run_id}'; "
                "python -m tracking.ui shows those that it has"
            ) from error
        store.outbox.send(Status(run_id, "RUNNING", None))
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
        shutil.move(folder, artifacts / CHECKPOINT)
        upload(store, run_id, CHECKPOINT)


def remove_checkpoint(store: Store, run_id: str) -> None:
    """Delete the checkpoint of a run, where it has one; everything else of the run stays."""
    folder = artifact_folder(store, run_id) / CHECKPOINT
    here = folder.exists()
    # A run that another machine trained has no folder here, and its checkpoint on the server. The server's copy goes first:
    # after a kill between the two, the folder here tells the next command to remove both again.
    if store.uploads and (here or not own_folder(store, run_id).exists()):
        with record_errors(f"removing the checkpoint of run {run_id}"):
            store.outbox.send(Remove(run_id, CHECKPOINT))
    if here:
        shutil.rmtree(folder)  # refuses a link, so nothing outside the record can go


def now_ms() -> int:
    """Milliseconds since 1970."""
    return int(time.time() * 1000)


def shorten(text: str) -> str:
    """Cut a text to what MLflow stores as a tag."""
    return text if len(text) <= MAX_TAG_VAL_LENGTH else text[: MAX_TAG_VAL_LENGTH - 3] + "..."
