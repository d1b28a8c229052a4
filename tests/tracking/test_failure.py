"""Errors of the record in one line."""

import sqlite3

import pytest

from tracking.failure import RecordError, record_errors


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
