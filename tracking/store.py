"""The place of the record: a folder with its artifacts, and a database in it or elsewhere, or an MLflow server."""

import fcntl
import logging
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, unquote, urlparse

from mlflow import MlflowClient
from mlflow.entities import Experiment, LifecycleStage

from tracking.address import is_server, without_password
from tracking.delivery import Delivery
from tracking.failure import RecordError, record_errors
from tracking.layout import ARTIFACTS as ARTIFACTS
from tracking.layout import DATABASE as DATABASE
from tracking.layout import uri_of
from tracking.outbox import Outbox
from tracking.postgresql import one_schema_at_a_time
from tracking.settings import TrackingSettings
from tracking.spool import Spool

SPOOL = "spool"
#: How MLflow names the place of artifacts that a server keeps.
SERVED = "mlflow-artifacts"

# MLflow logs every step of a schema's creation, and the traceback of every failure that it raises as well.
logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Store:
    """An open record.

    `root` is its folder, `uri` what MLflow calls its database or server, `client` reads from that, `outbox` writes to it.
    Artifacts lie below `root` in any case; `uploads` says that a server keeps them besides.
    """

    root: Path
    uri: str
    client: MlflowClient
    experiment_id: str
    delivery: Delivery
    outbox: Outbox

    @property
    def uploads(self) -> bool:
        """Whether a server keeps the artifacts besides."""
        return self.delivery.uploads

    @property
    def place(self) -> str:
        """How the record is named to people."""
        return str(self.root) if self.outbox.spool is None else self.outbox.place

    @property
    def keyed(self) -> bool:
        """Whether runs need a key, because their creation can be lost on the way."""
        return self.outbox.spool is not None


def tell(line: str) -> None:
    """Print a line for people beside what the command prints."""
    print(line, file=sys.stderr, flush=True)


def open_store(settings: TrackingSettings, say: Callable[[str], None] = tell) -> Store:
    """Open the record, making it where there is none, and deliver what waits for it.

    Several processes may do this at once. A database file appears under its name only when it is complete.

    Args:
        settings: where the record is.
        say: prints a line when a database or server goes away, and when it is back.

    Raises:
        RecordError: the folder cannot be made or written; the database is broken, full, locked or away; the record was moved.
    """
    root = Path(settings.root).expanduser().resolve()
    place = without_password(settings.uri) or str(root / DATABASE)
    with record_errors(f"opening {place}"), one_process_at_a_time(root):
        (root / ARTIFACTS).mkdir(exist_ok=True)
        client, experiment = open_place(settings, root)
    uploads = is_server(settings.uri) and not is_file(experiment.artifact_location)
    delivery = Delivery(client, str(experiment.experiment_id), root / ARTIFACTS, uploads=uploads)
    spool = Spool(root / SPOOL / quote(f"{place}/{settings.experiment}", safe="")) if settings.uri else None
    store = Store(
        root, client.tracking_uri, client, delivery.experiment_id, delivery, Outbox(delivery, spool, place, say)
    )
    with record_errors(f"delivering to {place}"):
        store.outbox.deliver()
    return store


def open_place(settings: TrackingSettings, root: Path) -> tuple[MlflowClient, Experiment]:
    """Open the database or server, and the experiment in it."""
    artifacts = root / ARTIFACTS
    if is_server(settings.uri):
        client = connect(settings.uri)
        return client, open_experiment(client, settings.experiment, artifacts, chosen_by_server=True)
    if settings.uri:
        with one_schema_at_a_time(settings.uri, "MLflow") as url:
            client = connect(url)
            return client, open_experiment(client, settings.experiment, artifacts)
    database = root / DATABASE
    if not database.exists():
        create_database(database)
    require_writable(database)
    client = connect(uri_of(database))
    return client, open_experiment(client, settings.experiment, artifacts)


def connect(uri: str) -> MlflowClient:
    """A client of one database or server; MLflow's global tracking URI is never touched."""
    return MlflowClient(tracking_uri=uri, registry_uri=uri)


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
    connect(uri_of(draft)).search_experiments(max_results=1)
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


def open_experiment(client: MlflowClient, name: str, artifacts: Path, *, chosen_by_server: bool = False) -> Experiment:
    """Return an experiment whose artifacts lie in `artifacts`, or where the server keeps them, making it where there is none.

    Raises:
        RecordError: the experiment was deleted in the UI, or its artifacts belong to another folder.
    """
    experiment = client.get_experiment_by_name(name)
    if experiment is None:
        made = client.create_experiment(name, artifact_location=None if chosen_by_server else artifacts.as_uri())
        experiment = client.get_experiment(made)
    if experiment.lifecycle_stage != LifecycleStage.ACTIVE:
        raise RecordError(
            f"the experiment must not be deleted, but '{name}' is; choose another with --set tracking.experiment=NAME "
            f"or restore it with 'mlflow experiments restore -x {experiment.experiment_id}'"
        )
    location = experiment.artifact_location
    if chosen_by_server and urlparse(location).scheme == SERVED:
        return experiment
    # MLflow stores absolute paths, so a record that was moved would lose its artifacts without a word.
    if chosen_by_server and (not is_file(location) or local_path(location).resolve() != artifacts):
        raise RecordError(
            f"an MLflow server must keep the artifacts itself, but those of '{name}' are at {location}; start it with "
            "--serve-artifacts --artifacts-destination FOLDER and take a new --set tracking.experiment=NAME"
        )
    made_at = local_path(location)
    if made_at.resolve() != artifacts:
        raise RecordError(
            f"a record must stay where it was made, but {artifacts.parent} was made as {made_at.parent}; "
            f"move it back, or where {made_at.parent} is free make it a link: ln -sT {artifacts.parent} {made_at.parent}"
        )
    return experiment


def is_file(location: str) -> bool:
    """Whether artifacts lie in a folder, and not behind a server or in a bucket."""
    return urlparse(location).scheme in ("", "file")


def local_path(uri: str) -> Path:
    """The path behind a file URI."""
    return Path(unquote(urlparse(uri).path))


def own_folder(store: Store, run_id: str) -> Path:
    """Where this machine writes the artifacts of a run."""
    return store.root / ARTIFACTS / run_id / "artifacts"


def artifact_folder(store: Store, run_id: str) -> Path:
    """The folder of a run's artifacts on this machine; a server may have more, see `fetch`.

    Raises:
        RecordError: no such run, or its artifacts lie outside the record.
    """
    own = own_folder(store, run_id)
    if store.uploads:
        return own.resolve()
    if own.exists():
        folder = own.resolve()
    else:
        with record_errors(f"reading run {run_id}"):
            folder = local_path(store.client.get_run(store.delivery.id_of(run_id)).info.artifact_uri).resolve()
    if not folder.is_relative_to(store.root / ARTIFACTS):
        raise RecordError(f"artifacts must lie in {store.root / ARTIFACTS}, but those of run {run_id} are at {folder}")
    return folder
