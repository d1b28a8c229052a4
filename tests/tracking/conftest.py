"""A record for each test. MLflow needs seconds to make its schema, so one database is made and copied."""

import resource
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.places import Place
from tracking.delivery import Delivery
from tracking.outbox import Outbox
from tracking.settings import TrackingSettings
from tracking.spool import Spool
from tracking.store import ARTIFACTS, DATABASE, Store, create_database, open_store

if TYPE_CHECKING:
    from tests.tracking.foreign.failed_run import FailedRun

SettingsOf = Callable[[Path], TrackingSettings]


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / DATABASE
    create_database(path)
    return path


@pytest.fixture
def settings_of(place: Place) -> SettingsOf:
    return lambda root: TrackingSettings(
        root=str(root), uri=place.tracking_uri, experiment=place.experiment, keep_checkpoints=5, port=5000
    )


@pytest.fixture
def store(tmp_path: Path, empty_database: Path, settings_of: SettingsOf) -> Store:
    root = tmp_path / "mlruns"
    root.mkdir()
    shutil.copy(empty_database, root / DATABASE)
    return open_store(settings_of(root))


@pytest.fixture
def far_store(store: Store, tmp_path: Path) -> Store:
    """A record whose artifacts are copied to another place, as an MLflow server's are; writes can wait for it."""
    experiment = store.client.create_experiment("far", artifact_location=(tmp_path / "far").as_uri())
    delivery = Delivery(store.client, experiment, store.root / ARTIFACTS, uploads=True)
    outbox = Outbox(delivery, Spool(tmp_path / "spool"), "http://far", lambda _line: None)
    return replace(store, experiment_id=experiment, delivery=delivery, outbox=outbox)


@pytest.fixture
def full_disk() -> Callable[[], AbstractContextManager[None]]:
    """Within it no file of this process can grow beyond 64 kB, which is how a full disk looks to it."""

    @contextmanager
    def limited() -> Iterator[None]:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    return limited


@pytest.fixture
def failed_files(tmp_path: Path) -> "FailedRun":
    """The files of the failed run."""
    from tests.tracking.foreign.failed_run import FailedRun

    run = FailedRun(tmp_path / "failed")
    run.write()
    return run
