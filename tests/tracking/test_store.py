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
from sqlalchemy import make_url

from tests.servers import PostgreSQL, free_port, query
from tracking.failure import RecordError
from tracking.run import start_run
from tracking.settings import TrackingSettings
from tracking.store import Store, artifact_folder, open_experiment, open_store

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
    with pytest.raises(RecordError, match=f"ln -sT {moved} {store.root}"):
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


def at_address(root: Path, uri: str, experiment: str = "taehv") -> TrackingSettings:
    return TrackingSettings(root=str(root), uri=uri, experiment=experiment, keep_checkpoints=5, port=5000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"password": "wrong"}, "password authentication failed.*; give PostgreSQL the right user and password"),
        ({"database": "none"}, 'database "none" does not exist; make the database with createdb'),
        ({"port": 1}, "refused; start that server, or correct its address"),
    ],
)
def test_a_database_that_cannot_be_opened_is_one_line_without_its_password(
    postgresql: PostgreSQL, tmp_path: Path, change: dict, message: str
) -> None:
    uri = make_url(postgresql.address("mlflow_blank")).set(**change).render_as_string(hide_password=False)
    with pytest.raises(RecordError, match=message) as error:
        open_store(at_address(tmp_path, uri))
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
    assert "wrong" not in str(error.value)


def test_the_database_of_the_studies_is_refused(postgresql: PostgreSQL, tmp_path: Path) -> None:
    uri = postgresql.make_database("of_optuna", like="optuna_blank")
    with pytest.raises(
        ValueError, match=r"MLflow needs a database of its own, but .*of_optuna is Optuna's; make .* createdb"
    ):
        open_store(at_address(tmp_path, uri))
    assert query(uri, "SELECT to_regclass('experiments')")[0][0] is None  # nothing was made in it


def test_a_server_that_is_away_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"opening http://127\.0\.0\.1:\d+ failed.*start that server") as error:
        open_store(at_address(tmp_path, f"http://127.0.0.1:{free_port()}"))
    assert "\n" not in str(error.value)


def test_a_server_must_keep_artifacts_itself(store: Store) -> None:
    # What a server answers that was started with --no-serve-artifacts.
    store.client.create_experiment("elsewhere", artifact_location="/srv/artifacts/1")
    with pytest.raises(RecordError, match=r"are at .*/srv/artifacts/1; start it with --serve-artifacts"):
        open_experiment(store.client, "elsewhere", store.root / "artifacts", chosen_by_server=True)
