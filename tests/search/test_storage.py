import contextlib
import sqlite3
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest

from search.lease import take_lease
from search.storage import open_storage
from tests.servers import PostgreSQL, query


def test_the_database_is_hardened_against_several_writers(tmp_path: Path) -> None:
    storage = open_storage(tmp_path, "", print)
    with storage.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 1  # NORMAL
        # The transaction that is open now holds the write lock, so another writer is refused at once.
        with sqlite3.connect(tmp_path / "optuna.db", timeout=0) as other, pytest.raises(sqlite3.OperationalError):
            other.execute("BEGIN IMMEDIATE")


def test_a_study_is_found_again_by_another_opening(tmp_path: Path) -> None:
    optuna.create_study(study_name="s", storage=open_storage(tmp_path, "", print)).set_user_attr("kept", 1)
    assert optuna.load_study(study_name="s", storage=open_storage(tmp_path, "", print)).user_attrs == {"kept": 1}


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "optuna.db").write_text("this is no database, and longer than the hundred bytes of a header" * 5)
    with pytest.raises(RuntimeError, match=r"must be a writable database, but .*optuna\.db: .*not a database") as error:
        open_storage(tmp_path, "", print)
    assert "\n" not in str(error.value)


def test_a_folder_that_is_not_there_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="unable to open database file; give another place"):
        open_storage(tmp_path / "none", "", print)


def test_the_database_of_mlflow_is_refused(postgresql: PostgreSQL, tmp_path: Path) -> None:
    address = postgresql.make_database("of_mlflow", like="mlflow_blank")
    with pytest.raises(ValueError, match=r"Optuna needs a database of its own, but .*of_mlflow is MLflow's") as error:
        open_storage(tmp_path, address, print)
    assert "secret" not in str(error.value)
    assert query(address, "SELECT to_regclass('studies')")[0][0] is None  # nothing was made in it


def test_many_may_open_and_take_studies_for_the_first_time_at_once(postgresql: PostgreSQL, tmp_path: Path) -> None:
    address = postgresql.make_database(f"fresh_{uuid.uuid4().hex[:8]}")
    together = threading.Barrier(8)

    def open_and_take(number: int) -> str:
        together.wait()
        storage = open_storage(tmp_path, address, print)
        together.wait()
        with contextlib.closing(take_lease(storage, f"study {number}", print)) as lease:
            return lease.study

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(open_and_take, range(8))) == [f"study {number}" for number in range(8)]


def test_a_password_that_is_wrong_is_one_clear_line(postgresql: PostgreSQL, tmp_path: Path) -> None:
    address = postgresql.address("optuna_blank").replace("secret", "wrong")
    with pytest.raises(RuntimeError, match=r"password authentication failed.*give PostgreSQL the right user") as error:
        open_storage(tmp_path, address, print)
    assert "wrong" not in str(error.value)
    assert "\n" not in str(error.value)
