"""The place of the record: an SQLite database and a folder of artifacts under one root."""

import fcntl
import logging
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlparse

from mlflow import MlflowClient
from mlflow.entities import LifecycleStage

from tracking.failure import RecordError, record_errors
from tracking.settings import TrackingSettings

DATABASE = "mlflow.db"
ARTIFACTS = "artifacts"

# MLflow logs every step of a schema's creation, and the traceback of every failure that it raises as well.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Store:
    """An open record: its folder, its database's URI, the client that talks to it and the experiment of all runs."""

    root: Path
    uri: str
    client: MlflowClient
    experiment_id: str


def open_store(settings: TrackingSettings) -> Store:
    """Open the record, making it where there is none.

    Several processes may do this at once. The database appears under its name only when it is complete.

    Raises:
        RecordError: the folder cannot be made or written; the database is broken, full or locked; the record was moved.
    """
    root = Path(settings.root).expanduser().resolve()
    database = root / DATABASE
    with record_errors(f"opening {database}"), one_process_at_a_time(root):
        (root / ARTIFACTS).mkdir(exist_ok=True)
        if not database.exists():
            create_database(database)
        require_writable(database)
        client = connect(database)
        experiment_id = open_experiment(client, settings.experiment, root / ARTIFACTS)
    return Store(root, uri_of(database), client, experiment_id)


def uri_of(database: Path) -> str:
    """The address of a database file as MLflow wants it: absolute, so that no working directory matters."""
    return f"sqlite:///{database}"


def connect(database: Path) -> MlflowClient:
    """A client of one database; MLflow's global tracking URI is never touched."""
    return MlflowClient(tracking_uri=uri_of(database), registry_uri=uri_of(database))


@contextmanager
def one_process_at_a_time(root: Path) -> Iterator[None]:
    """Hold the root's lock file: a schema that two create at once breaks (docs/facts.md 4)."""
    root.mkdir(parents=True, exist_ok=True)
    with (root / f"{DATABASE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def create_database(database: Path) -> None:
    """Make MLflow's schema under another name and rename it: a command killed meanwhile leaves no half database.

    The file is copied before it is renamed because MLflow keeps connections to the one that it made.
    """
    draft, ready = (database.with_name(f"{DATABASE}.{name}") for name in ("draft", "ready"))
    draft.unlink(missing_ok=True)
    connect(draft).search_experiments(max_results=1)
    shutil.copyfile(draft, ready)
    ready.replace(database)
    draft.unlink()


def require_writable(database: Path) -> None:
    """Change the database and take it back: MLflow opens a read-only or damaged file happily and fails much later."""
    with closing(sqlite3.connect(database, timeout=20, isolation_level=None)) as connection:
        # The lock alone proves nothing: on a read-only file SQLite makes BEGIN IMMEDIATE a plain BEGIN.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE writable (probe)")
        connection.execute("ROLLBACK")


def open_experiment(client: MlflowClient, name: str, artifacts: Path) -> str:
    """Return the id of an experiment whose artifacts lie in `artifacts`, making it where there is none.

    Raises:
        RecordError: the experiment was deleted in the UI, or its artifacts belong to another folder.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        return str(client.create_experiment(name, artifact_location=artifacts.as_uri()))
    if experiment.lifecycle_stage != LifecycleStage.ACTIVE:
        raise RecordError(
            f"the experiment must not be deleted, but '{name}' is; choose another with --set tracking.experiment=NAME "
            f"or restore it with 'mlflow experiments restore -x {experiment.experiment_id}'"
        )
    made_at = local_path(experiment.artifact_location)
    # MLflow stores absolute paths, so a record that was moved would lose its artifacts without a word.
    if made_at.resolve() != artifacts:
        raise RecordError(
            f"a record must stay where it was made, but {artifacts.parent} was made as {made_at.parent}; "
            f"move it back or make that path a link: ln -s {artifacts.parent} {made_at.parent}"
        )
    return str(experiment.experiment_id)


def local_path(uri: str) -> Path:
    """The path behind a file URI."""
    return Path(unquote(urlparse(uri).path))


def artifact_folder(store: Store, run_id: str) -> Path:
    """The folder of a run's artifacts.

    Raises:
        RecordError: no such run, or its artifacts lie outside the record.
    """
    with record_errors(f"reading run {run_id}"):
        folder = local_path(store.client.get_run(run_id).info.artifact_uri).resolve()
    if not folder.is_relative_to(store.root / ARTIFACTS):
        raise RecordError(f"artifacts must lie in {store.root / ARTIFACTS}, but those of run {run_id} are at {folder}")
    return folder
