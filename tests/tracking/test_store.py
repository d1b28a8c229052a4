"""Opening the record: made once and completely, refused in one line when it cannot be used."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import mlflow
import pytest
from mlflow import MlflowClient

from tracking.failure import RecordError
from tracking.run import start_run
from tracking.settings import TrackingSettings
from tracking.store import Store, artifact_folder, open_store

SettingsOf = Callable[[Path], TrackingSettings]


def test_a_new_record_is_made_once_when_several_open_it_and_an_earlier_one_was_killed(
    tmp_path: Path, settings_of: SettingsOf
) -> None:
    root = tmp_path / "new" / "mlruns"
    root.mkdir(parents=True)
    (root / "mlflow.db.draft").write_bytes(os.urandom(5000))  # what a kill while the schema was made leaves

    with ThreadPoolExecutor(3) as threads:
        stores = list(threads.map(open_store, [settings_of(root)] * 3))

    assert len({store.experiment_id for store in stores}) == 1
    experiment = MlflowClient(tracking_uri=f"sqlite:///{root}/mlflow.db").get_experiment_by_name("taehv")
    assert experiment.experiment_id == stores[0].experiment_id
    assert experiment.artifact_location == (root / "artifacts").as_uri()
    assert not list(root.glob("mlflow.db.*[!k]"))  # the lock stays, drafts do not


def test_a_relative_root_becomes_absolute(
    store: Store, settings_of: SettingsOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(store.root.parent)
    again = open_store(settings_of(Path("mlruns")))
    assert (again.root, again.uri, again.experiment_id) == (store.root, store.uri, store.experiment_id)
    assert again.root.is_absolute()


def test_nothing_global_is_touched(store: Store) -> None:
    assert str(store.root) not in mlflow.get_tracking_uri()
    assert os.environ["MLFLOW_DISABLE_TELEMETRY"] == "true"


@pytest.mark.parametrize("kept", [0.0, 0.1])
def test_a_broken_database_is_refused_and_left_as_it_is(store: Store, settings_of: SettingsOf, kept: float) -> None:
    database = store.root / "mlflow.db"
    good = database.read_bytes()
    broken = good[: int(len(good) * kept)] + os.urandom(3000)
    database.write_bytes(broken)

    with pytest.raises(RecordError, match="move the whole folder away") as caught:
        open_store(settings_of(store.root))

    assert "\n" not in str(caught.value)
    assert str(database) in str(caught.value)
    assert database.read_bytes() == broken


def test_a_root_that_cannot_be_a_folder_is_refused(tmp_path: Path, settings_of: SettingsOf) -> None:
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(RecordError, match=r"--set tracking\.root=FOLDER"):
            open_store(settings_of(root))


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user reaches, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write everywhere, so it becomes nobody for a moment."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


@pytest.mark.parametrize("protected", [".", "mlflow.db"])
def test_a_read_only_record_is_refused_before_any_work(
    empty_database: Path, public_folder: Path, settings_of: SettingsOf, protected: str
) -> None:
    shutil.copy(empty_database, public_folder / "mlflow.db")
    open_store(settings_of(public_folder))
    for path in (public_folder, public_folder / "mlflow.db", public_folder / "mlflow.db.lock"):
        path.chmod(0o777)
    (public_folder / protected).chmod(0o555)

    with without_privileges(), pytest.raises(RecordError, match="make its folder writable"):
        open_store(settings_of(public_folder))


def test_a_moved_record_is_refused_until_its_old_place_leads_to_it(
    store: Store, settings_of: SettingsOf, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.move(store.root, moved)
    with pytest.raises(RecordError, match=f"ln -s {moved} {store.root}"):
        open_store(settings_of(moved))

    store.root.symlink_to(moved)
    assert open_store(settings_of(moved)).experiment_id == store.experiment_id


def test_a_deleted_experiment_is_refused(store: Store, settings_of: SettingsOf) -> None:
    store.client.delete_experiment(store.experiment_id)
    with pytest.raises(RecordError, match=f"restore -x {store.experiment_id}"):
        open_store(settings_of(store.root))


def test_artifacts_outside_the_record_are_refused(store: Store, tmp_path: Path) -> None:
    inside = start_run(store, "inside", "train", None, {})
    assert artifact_folder(store, inside.id).is_relative_to(store.root / "artifacts")

    elsewhere = store.client.create_experiment("other", artifact_location=(tmp_path / "other").as_uri())
    outside = store.client.create_run(elsewhere).info.run_id
    with pytest.raises(RecordError, match="artifacts must lie in"):
        artifact_folder(store, outside)
