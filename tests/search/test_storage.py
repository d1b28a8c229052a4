import sqlite3
from pathlib import Path

import optuna
import pytest

from search.storage import open_storage


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
