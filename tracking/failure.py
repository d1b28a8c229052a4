"""What goes wrong in the record, said in one line."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

WRITABLE = "make its folder writable or choose another with --set tracking.root=FOLDER"

#: Part of a message, in lower case -> what a person can do about it.
REMEDIES = {
    "readonly": WRITABLE,
    "read-only": WRITABLE,
    "unable to open": WRITABLE,
    "permission denied": WRITABLE,
    "not permitted": WRITABLE,
    "file exists": WRITABLE,
    "directory": WRITABLE,  # "Not a directory", "No such file or directory", "Is a directory"
    "no space": "free space on its disk, then start the command again",
    "full": "free space on its disk, then start the command again",
    "disk i/o": "free space on its disk or look at the disk's health, then start the command again",
    "locked": "another program holds it: stop that one or wait, then start the command again",
    "not a database": "put a backup in its place, or move the whole folder away (a new record is made)",
    "malformed": "put a backup in its place, or move the whole folder away (a new record is made)",
    "out-of-date": "it was made by another version of MLflow: back it up, then run 'mlflow db upgrade sqlite:///PATH'",
    "can't locate revision": "it was made by a newer MLflow: install that version",
}


class RecordError(RuntimeError):
    """The record could not be read or written; the text states the rule, the value and the remedy."""


@contextmanager
def record_errors(action: str) -> Iterator[None]:
    """Turn the exceptions of database and disk inside the block into one line.

    Args:
        action: what is being done, such as "opening runs/mlflow.db".

    Raises:
        RecordError: in place of what MLflow, SQLAlchemy, SQLite or the system raised.
    """
    try:
        yield
    except (MlflowException, SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise RecordError(explain(action, error)) from error


def explain(action: str, error: Exception) -> str:
    """Say which action failed, why, and what to do."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    lowered = str(error).lower()
    remedy = next((text for part, text in REMEDIES.items() if part in lowered), "--debug shows where")
    return f"the record must be readable and writable, but {action} failed: {lines[0]}; {remedy}"
