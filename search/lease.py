"""One coordinator per study, wherever it runs: a row in Optuna's database that its holder renews."""

import contextlib
import threading
import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from optuna.storages import RDBStorage
from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Engine,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from search.duration import show_duration
from search.holder import Holder

#: Seconds between two signs of life.
BEAT_S = 10

#: Seconds without one after which a holder that cannot be seen from here is dead: several beats, and a slow database.
DEAD_S = 60

#: The database's own clock: those of two hosts may differ by more than a lease lasts.
NOW = func.current_timestamp(type_=DateTime(timezone=True))

LEASES = Table(
    "study_leases",
    MetaData(),
    Column("study", String(255), primary_key=True),
    Column("token", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("place", String(255), nullable=False),
    Column("pid", BigInteger, nullable=False),
    Column("started", BigInteger, nullable=False),
    Column("taken", DateTime(timezone=True), nullable=False),
    Column("beaten", DateTime(timezone=True), nullable=False),
)


class StudyHeldError(RuntimeError):
    """Another process that lives, or may live, holds the study."""


class Found(NamedTuple):
    """A lease as it stands in the database."""

    token: str
    holder: Holder
    age_s: float
    silent_s: float

    def is_held(self) -> bool:
        """Whether its holder lives, or may do so where that cannot be seen."""
        lives = self.holder.lives()
        return self.silent_s < DEAD_S if lives is None else lives


class LostLeaseError(RuntimeError):
    """The study that this process worked on is another one's by now: nothing of its record may be written here any more."""


class Lease:
    """A study that this process holds until `close`, or until it was dead for others."""

    def __init__(self, engine: Engine, study: str, token: str) -> None:
        self.engine, self.study, self.token = engine, study, token
        self.taken_by: str | None = None
        self._closed = threading.Event()
        self._beating = threading.Thread(target=self._beat, name="lease", daemon=True)
        self._beating.start()

    def check(self) -> None:
        """See to it that the study is still held.

        Raises:
            LostLeaseError: another process has taken it, because this one gave no sign of life for too long.
        """
        if self.taken_by is not None:
            raise LostLeaseError(
                f"a coordinator must give a sign of life every {DEAD_S} s, but this one stood still and {self.study} was "
                f"taken over by {self.taken_by}; leave the study to it"
            )

    def close(self) -> None:
        """Let go of the study."""
        self._closed.set()
        self._beating.join()
        # A row that stays (the disk is full) is one of a process that has ended: the next one takes over.
        with contextlib.suppress(SQLAlchemyError), self.engine.begin() as connection:
            connection.execute(delete(LEASES).where(LEASES.c.token == self.token))

    def renew(self) -> None:
        """Give a sign of life, or notice that the study is lost."""
        with self.engine.begin() as connection:
            mine = LEASES.c.token == self.token
            if connection.execute(update(LEASES).where(mine).values(beaten=NOW)).rowcount == 0:
                found = read(connection, self.study)
                self.taken_by = "nobody who still holds it" if found is None else found.holder.name

    def _beat(self) -> None:
        while not self._closed.wait(BEAT_S):
            try:
                self.renew()
            except SQLAlchemyError:
                continue  # a sign that was not given, no more; the study's own writes tell what is wrong with the database


def take_lease(storage: RDBStorage, study: str, say: Callable[[str], None]) -> Lease:
    """Take a study for this process, also from a holder that is dead; `storage` is one of search.storage, with its table.

    Raises:
        StudyHeldError: another process that lives, or may live, holds it.
    """
    me, token = Holder.here(), uuid.uuid4().hex
    row = {"token": token, "name": me.name, "place": me.place, "pid": me.pid, "started": me.started}
    times = {"taken": NOW, "beaten": NOW}
    try:
        with storage.engine.begin() as connection:
            found = read(connection, study)
            if found is None:
                connection.execute(insert(LEASES).values(study=study, **row, **times))
            elif found.holder == me or not found.is_held():
                same = (LEASES.c.study == study) & (LEASES.c.token == found.token)
                if connection.execute(update(LEASES).where(same).values(**row, **times)).rowcount == 0:
                    found = read(connection, study)
                    raise refusal(study, found)
            else:
                raise refusal(study, found)
    except IntegrityError as error:  # another process was faster by a moment
        with storage.engine.begin() as connection:
            raise refusal(study, read(connection, study)) from error
    if found is not None and found.holder != me:
        say(
            f"the study was held by {found.holder.name}, which has ended: taken over after {show_duration(found.age_s)}"
        )
    return Lease(storage.engine, study, token)


def read(connection: Any, study: str) -> Found | None:
    """The lease of a study, if it has one."""
    columns = LEASES.c
    wanted = select(
        columns.token, columns.name, columns.place, columns.pid, columns.started, columns.taken, columns.beaten, NOW
    )
    row = connection.execute(wanted.where(columns.study == study)).first()
    if row is None:
        return None
    token, name, place, pid, started, taken, beaten, now = row
    return Found(token, Holder(name, place, pid, started), seconds(now, taken), seconds(now, beaten))


def seconds(later: datetime, earlier: datetime) -> float:
    """Seconds between two times of one database."""
    return (later - earlier).total_seconds()


def refusal(study: str, found: Found | None) -> StudyHeldError:
    """The error of a study that another process holds."""
    held = (
        "another process that was faster"
        if found is None
        else (
            f"{found.holder.name}, for {show_duration(found.age_s)}, last sign of life {show_duration(found.silent_s)} ago"
        )
    )
    return StudyHeldError(
        f"a study has one coordinator at a time, but {study} is held by {held}; "
        f"wait for it or stop it (a dead one is taken over, on another host {DEAD_S} s after its last sign)"
    )
