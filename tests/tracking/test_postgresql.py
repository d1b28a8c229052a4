from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError

from tests.servers import PostgreSQL, free_port, query
from tracking.postgresql import one_schema_at_a_time


def test_one_process_at_a_time_makes_tables(postgresql: PostgreSQL) -> None:
    address = postgresql.make_database("schemas")

    def make(_number: int) -> None:
        with one_schema_at_a_time(address, "MLflow") as url, create_engine(url).begin() as connection:
            if not connection.execute(text("SELECT to_regclass('made')")).scalar():
                connection.execute(text("SELECT pg_sleep(0.05)"))  # what the others would use
                connection.execute(text("CREATE TABLE made ()"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(make, range(4)))
    assert query(address, "SELECT COUNT(*) FROM pg_locks WHERE locktype = 'advisory'")[0][0] == 0


def test_a_database_that_does_not_answer_is_the_drivers_error() -> None:
    with (
        pytest.raises(OperationalError, match="refused"),
        one_schema_at_a_time(f"postgresql://me@127.0.0.1:{free_port()}/none", "MLflow"),
    ):
        pass


def test_a_driver_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_driver(*_arguments: object, **_options: object) -> None:
        raise ModuleNotFoundError("No module named 'psycopg'")

    monkeypatch.setattr("tracking.postgresql.create_engine", no_driver)
    with (
        pytest.raises(ValueError, match=r"pip install 'psycopg\[binary\]'"),
        one_schema_at_a_time("postgresql://h/d", "MLflow"),
    ):
        pass
