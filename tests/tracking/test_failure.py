"""Errors of the record in one line."""

import sqlite3

import pytest
import requests
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, TEMPORARILY_UNAVAILABLE, UNAUTHENTICATED
from sqlalchemy.exc import IntegrityError, OperationalError

from tracking.failure import RecordError, is_away, is_fault, record_errors


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (sqlite3.OperationalError("attempt to write a readonly database"), "make its folder writable"),
        (OSError(30, "Read-only file system", "/record"), "make its folder writable"),
        (PermissionError(13, "Permission denied", "/record"), "make its folder writable"),
        (OSError(28, "No space left on device", "/record"), "free space"),
        (sqlite3.OperationalError("database or disk is full"), "free space"),
        (sqlite3.OperationalError("database is locked"), "another program holds it"),
        (sqlite3.DatabaseError("file is not a database\n[SQL: ...]"), "put a backup in its place"),
    ],
)
def test_each_failure_names_action_cause_and_remedy(error: Exception, remedy: str) -> None:
    with pytest.raises(RecordError) as caught, record_errors("writing tags"):
        raise error

    text = str(caught.value)
    assert text.startswith("the record must be readable and writable, but writing tags failed: ")
    assert str(error).splitlines()[0] in text
    assert remedy in text
    assert "\n" not in text
    assert caught.value.__cause__ is error


def test_other_exceptions_pass() -> None:
    with pytest.raises(ZeroDivisionError), record_errors("dividing"):
        _ = 1 / 0


def chained(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (chained(MlflowException("API request failed"), requests.ConnectionError()), True),
        (chained(MlflowException("API request failed"), requests.ReadTimeout()), True),
        (
            chained(MlflowException("x"), OperationalError("SELECT", {}, Exception("server closed the connection"))),
            True,
        ),
        (MlflowException("busy", error_code=TEMPORARILY_UNAVAILABLE), True),
        (MlflowException("API request failed: Max retries exceeded (too many 503 error responses)"), True),
        (MlflowException("API request failed with error code 502 != 200"), True),
        (MlflowException("who are you", error_code=UNAUTHENTICATED), True),
        (MlflowException("API request failed with error code 401 != 200"), True),
        (MlflowException("API request failed with error code 500 != 200"), False),
        (MlflowException("API request failed: Max retries exceeded (too many 500 error responses)"), False),
        (MlflowException("Changing param values is not allowed", error_code=INVALID_PARAMETER_VALUE), False),
        (chained(MlflowException("x"), IntegrityError("INSERT", {}, Exception("duplicate key"))), False),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_who_is_away_is_told_from_who_says_no(error: Exception, away: bool) -> None:
    assert is_away(error) is away
    assert is_fault(error) is ("500" in str(error))
