"""What goes wrong in the record, said in one line."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

WRITABLE = "make its folder writable or choose another with --set tracking.root=FOLDER"

#: What a proxy or a server that cannot work now answers, or one that wants another password first.
AWAY_ANSWERS = (401, 403, 408, 429, 502, 503, 504)
AWAY_CODES = ("TEMPORARILY_UNAVAILABLE", "UNAUTHENTICATED", "PERMISSION_DENIED")
#: How MLflow's client names an answer.
ANSWER = re.compile(r"too many (\d{3}) error|error code (\d{3})\b")

#: Part of a message, in lower case -> what a person can do about it.
REMEDIES = {
    "password authentication": "give PostgreSQL the right user and password (PGPASSWORD, ~/.pgpass or the address hold it)",
    "no password supplied": "give PostgreSQL a password (PGPASSWORD, ~/.pgpass or the address hold it)",
    "does not exist": "make the database with createdb, or correct the address",
    "connection refused": "start that server, or correct its address",
    "failed to establish": "start that server, or correct its address",
    "timed out": "see that this machine reaches that server, or correct its address",
    "name or service not known": "correct the host of the address",
    "failed to resolve": "correct the host of the address",
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


def is_away(error: BaseException) -> bool:
    """Whether an exception says that the database or server could not be reached or cannot work now."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, requests.ConnectionError | requests.Timeout | OperationalError | InterfaceError):
            return True
        if isinstance(cause, DBAPIError) and cause.connection_invalidated:
            return True
        if answer_of(cause) in AWAY_ANSWERS:
            return True
        if isinstance(cause, MlflowException) and cause.error_code in AWAY_CODES:
            return True
        cause = cause.__cause__ or cause.__context__
    return False


def is_fault(error: BaseException) -> bool:
    """Whether a server answered that it failed itself: one that is being stopped does so, and one with a mistake in it."""
    return answer_of(error) == 500


def answer_of(error: BaseException) -> int | None:
    """The number of a server's answer, where an exception is about one."""
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code
    named = ANSWER.search(str(error)) if isinstance(error, MlflowException) else None
    return int(named[1] or named[2]) if named else None


def explain(action: str, error: Exception) -> str:
    """Say which action failed, why, and what to do."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return f"the record must be readable and writable, but {action} failed: {lines[0]}; {remedy(error)}"


def remedy(error: Exception) -> str:
    """What a person can do about an error of a database, server or disk."""
    lowered = str(error).lower()
    return next((text for part, text in REMEDIES.items() if part in lowered), "--debug shows where")
