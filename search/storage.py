"""Where Optuna keeps its studies: SQLite with settings that survive several readers."""

from pathlib import Path
from typing import Any

from optuna.storages import RDBStorage
from sqlalchemy import event

#: Seconds that a connection waits for another one's transaction.
TIMEOUT_S = 60


def open_storage(root: Path) -> RDBStorage:
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
        storage.get_all_studies()
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
