"""Where Optuna keeps its studies: SQLite with settings that survive several readers, or PostgreSQL."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from optuna.storages import RDBStorage
from sqlalchemy import event

from search.lease import LEASES
from search.patience import PatientStorage
from tracking.address import without_password
from tracking.failure import remedy
from tracking.postgresql import one_schema_at_a_time

#: Seconds that a connection waits for another one's transaction.
TIMEOUT_S = 60


def open_storage(root: Path, address: str, say: Callable[[str], None]) -> RDBStorage:
    """Open the studies of a record, making their tables where there are none.

    Args:
        root: folder of the record.
        address: "" for optuna.db in it, else of a PostgreSQL database.
        say: prints a line when the database goes away, and when it is back.

    Raises:
        RuntimeError: the database cannot be reached or written, or is none.
    """
    return open_database(address, say) if address else open_file(root)


def open_database(address: str, say: Callable[[str], None]) -> RDBStorage:
    """Open (or make) the tables of a PostgreSQL database."""
    place = without_password(address)
    try:
        with one_schema_at_a_time(address, "Optuna") as url:
            storage = PatientStorage(url, place, say)
            LEASES.metadata.create_all(storage.engine)
            return storage
    except ValueError:
        raise  # a person's mistake, said already
    except Exception as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise RuntimeError(
            f"the study's storage must be a database that can be written, but {place}: {reason}; {remedy(error)}"
        ) from error


def open_file(root: Path) -> RDBStorage:
    """Open (or make) optuna.db.

    SQLite ignores the row locks that Optuna relies on; write-ahead logging and BEGIN IMMEDIATE make every transaction take
    the write lock first, which ran clean where the default lost workers (docs/facts.md 1).

    Raises:
        RuntimeError: the place cannot be written or the file is no database.
    """
    path = (root / "optuna.db").resolve()
    try:
        storage = RDBStorage(
            f"sqlite:///{path}", engine_kwargs={"connect_args": {"timeout": TIMEOUT_S, "isolation_level": None}}
        )
        harden(storage)
        LEASES.metadata.create_all(storage.engine)
    except Exception as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise RuntimeError(
            f"the record must be a writable database, but {path}: {reason}; give another place with --set tracking.root=DIR"
        ) from error
    return storage


def harden(storage: RDBStorage) -> None:
    """Make every new connection use write-ahead logging and every transaction begin with the write lock."""

    @event.listens_for(storage.engine, "connect")
    def _on_connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")

    @event.listens_for(storage.engine, "begin")
    def _on_begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    storage.engine.dispose()  # connections made before the listeners stood do not have the settings
