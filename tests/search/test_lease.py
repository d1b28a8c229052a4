import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from optuna.storages import RDBStorage
from sqlalchemy import func, select, update

from search import lease
from search.holder import Holder
from search.lease import BEAT_S, DEAD_S, LEASES, take_lease
from search.storage import open_storage
from tests.commands import ROOT, environment
from tests.places import DATABASES, Place, at

pytestmark = at(*DATABASES)

HOLD = """
import sys
from pathlib import Path
from search.lease import take_lease
from search.storage import open_storage
held = take_lease(open_storage(Path(sys.argv[1]), sys.argv[2], print), "mine", print)
print("held", flush=True)
sys.stdin.read()
held.close()
"""


@pytest.fixture
def storage(record: Path, place: Place) -> RDBStorage:
    return open_storage(record, place.storage, print)


@pytest.fixture
def holder(record: Path, place: Place, storage: RDBStorage) -> Iterator[subprocess.Popen]:
    """A process that holds the study "mine" until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(record), place.storage],
        cwd=ROOT,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def say_nothing(line: str) -> None:
    raise AssertionError(line)


def count(storage: RDBStorage) -> int:
    with storage.engine.begin() as connection:
        return connection.execute(select(func.count()).select_from(LEASES)).scalar_one()


def elsewhere(storage: RDBStorage, silent_s: int) -> None:
    """Make the lease one of a host whose processes cannot be seen, with its last sign of life so long ago."""
    # The database's own clock, as everywhere.
    before = func.datetime("now", f"-{silent_s} seconds")
    if storage.engine.dialect.name == "postgresql":
        before = func.current_timestamp() - timedelta(seconds=silent_s)
    with storage.engine.begin() as connection:
        connection.execute(update(LEASES).values(name="anna@node7, process 9", place="node7", beaten=before))


def test_a_second_coordinator_is_refused_with_holder_and_age(storage: RDBStorage, holder: subprocess.Popen) -> None:
    with pytest.raises(RuntimeError) as refused:
        take_lease(storage, "mine", say_nothing)
    me = Holder.here().name.partition(",")[0]
    text = str(refused.value)
    assert f"mine is held by {me}, process {holder.pid}, for " in text
    assert "last sign of life" in text
    take_lease(storage, "another study", say_nothing).close()


def test_a_dead_holder_is_taken_over_at_once_and_that_is_said(storage: RDBStorage, holder: subprocess.Popen) -> None:
    holder.kill()
    holder.wait()
    said: list[str] = []
    take_lease(storage, "mine", said.append).close()
    (line,) = said
    assert f"process {holder.pid}, which has ended: taken over after " in line


def test_a_holder_that_lets_go_leaves_nothing(storage: RDBStorage, holder: subprocess.Popen) -> None:
    holder.communicate("")
    assert holder.returncode == 0
    assert count(storage) == 0
    held = take_lease(storage, "mine", say_nothing)
    assert count(storage) == 1
    held.check()
    held.close()
    assert count(storage) == 0


def test_a_holder_that_cannot_be_seen_is_dead_after_a_silence(storage: RDBStorage) -> None:
    held = take_lease(storage, "mine", say_nothing)
    elsewhere(storage, DEAD_S - 2 * BEAT_S)
    with pytest.raises(RuntimeError, match=r"held by anna@node7, process 9, for .*last sign of life 4\d s ago"):
        take_lease(storage, "mine", say_nothing)

    elsewhere(storage, DEAD_S + 1)
    said: list[str] = []
    other = take_lease(storage, "mine", said.append)
    assert said[0].startswith("the study was held by anna@node7, process 9, which has ended: taken over after ")

    held.check()  # it does not know yet
    held.renew()
    with pytest.raises(RuntimeError, match=r"stood still and mine was taken over by .*; leave the study to it"):
        held.check()
    held.close()
    assert count(storage) == 1  # the other's is not its own to remove
    other.renew()
    other.check()
    other.close()


def test_a_sign_of_life_is_given_again_and_again(storage: RDBStorage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT_S", 0.01)
    held = take_lease(storage, "mine", say_nothing)
    elsewhere(storage, 1000)
    while found_silence(storage) > DEAD_S:  # ends with the next sign
        pass
    held.close()


def found_silence(storage: RDBStorage) -> float:
    with storage.engine.begin() as connection:
        found = lease.read(connection, "mine")
    assert found is not None
    return found.silent_s


def test_the_same_process_may_open_its_study_again(storage: RDBStorage) -> None:
    first = take_lease(storage, "mine", say_nothing)
    second = take_lease(storage, "mine", say_nothing)
    first.close()
    second.check()
    second.close()


def test_of_two_that_come_at_the_same_moment_one_is_refused(
    storage: RDBStorage, holder: subprocess.Popen, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = lease.read
    answers = iter([None])  # as if the other had come between the question and the answer
    monkeypatch.setattr(lease, "read", lambda connection, study: next(answers, real(connection, study)))
    with pytest.raises(RuntimeError, match=f"held by .*process {holder.pid}"):
        take_lease(storage, "mine", say_nothing)
