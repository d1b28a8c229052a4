"""The order and the number of deliveries, with a server that is a list."""

import itertools
from pathlib import Path

import pytest
import requests
from mlflow.exceptions import MlflowException

from tracking.operations import Operation, Upload
from tracking.outbox import DRAIN_S, RETRY_S, Outbox
from tracking.spool import Spool

ONE, TWO, THREE, FOUR = (Upload("r", name) for name in ("one", "two", "three", "four"))


class Server:
    """Does operations while it is up; with `deaf` it does them and the answer is lost."""

    def __init__(self) -> None:
        self.up, self.deaf, self.refuses = True, False, set[Operation]()
        self.done: list[tuple[Operation, bool]] = []
        self.tries = 0

    def __call__(self, operation: Operation, *, again: bool) -> str:
        self.tries += 1
        if not self.up and not self.deaf:
            raise MlflowException("connection refused") from requests.ConnectionError()
        if operation in self.refuses:
            raise MlflowException("not allowed\nat all")
        self.done.append((operation, again))
        if self.deaf:
            raise MlflowException("no answer") from requests.Timeout()
        return "id"


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [0.0]
    monkeypatch.setattr("tracking.outbox.time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def outbox(server: Server, said: list[str], tmp_path: Path, clock: list[float]) -> Outbox:
    return Outbox(server, Spool(tmp_path / "spool"), "postgresql://me:secret@host/d", said.append)


def test_without_a_spool_errors_are_the_callers(server: Server, said: list[str]) -> None:
    outbox = Outbox(server, None, "", said.append)
    assert outbox.send(ONE) == "id"
    server.up = False
    with pytest.raises(MlflowException, match="refused"):
        outbox.send(TWO)
    outbox.deliver()
    assert server.done == [(ONE, False)]


def test_while_the_server_answers_nothing_waits(outbox: Outbox, server: Server) -> None:
    assert outbox.send(ONE) == "id"
    assert (server.done, bool(outbox.spool)) == ([(ONE, False)], False)


def test_what_comes_in_an_outage_is_delivered_in_order_and_said_once(
    outbox: Outbox, server: Server, said: list[str], clock: list[float]
) -> None:
    server.up = False
    assert outbox.send(ONE) is None
    assert outbox.send(TWO) is None
    assert server.tries == 1  # the second did not try: it is too soon
    clock[0] += RETRY_S
    outbox.send(THREE)
    assert (server.tries, server.done) == (2, [])
    server.up = True
    clock[0] += RETRY_S
    outbox.send(FOUR)
    assert server.done == [(operation, True) for operation in (ONE, TWO, THREE, FOUR)]
    assert not outbox.spool
    away, back = said
    assert away.startswith("postgresql://me@host/d does not answer: what is recorded waits in ")
    assert back == "postgresql://me@host/d answers: 4 writes that waited for it are delivered"
    outbox.send(ONE)
    assert server.done[-1] == (ONE, False)


def test_a_second_outage_is_said_again(outbox: Outbox, server: Server, said: list[str]) -> None:
    for _ in range(2):
        server.up = False
        outbox.send(ONE)
        server.up = True
        outbox.deliver()
    assert len(said) == 4


def test_a_try_that_took_long_puts_the_next_one_off_for_longer(
    outbox: Outbox, server: Server, clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(operation: Operation, *, again: bool) -> None:
        server.tries += 1
        clock[0] += 30
        raise MlflowException("timed out") from requests.Timeout()

    outbox.perform = hang
    outbox.send(ONE)
    clock[0] += 100
    outbox.send(TWO)
    assert server.tries == 1
    clock[0] += 20
    outbox.send(THREE)
    assert server.tries == 2


def test_an_answer_that_was_lost_is_asked_for_again(outbox: Outbox, server: Server) -> None:
    server.deaf = True
    assert outbox.send(ONE) is None
    server.deaf = False
    outbox.deliver()
    assert server.done == [(ONE, False), (ONE, True)]  # the second time it is told that there was a first


def test_a_kill_between_delivery_and_counting_delivers_that_one_again(
    outbox: Outbox, server: Server, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    server.up = False
    for operation in (ONE, TWO, THREE):
        outbox.send(operation)
    server.up = True
    assert outbox.spool is not None
    counted = itertools.count()
    count = outbox.spool.count

    def killed(position: int) -> None:
        if next(counted) == 1:
            raise KeyboardInterrupt
        count(position)

    monkeypatch.setattr(outbox.spool, "count", killed)
    with pytest.raises(KeyboardInterrupt):
        outbox.deliver()
    Outbox(server, Spool(outbox.spool.folder), "", said.append).deliver()
    assert [operation for operation, _ in server.done] == [ONE, TWO, TWO, THREE]


def test_what_the_server_refuses_is_kept_and_holds_nothing_up(outbox: Outbox, server: Server, said: list[str]) -> None:
    server.up = False
    for operation in (ONE, TWO, THREE):
        outbox.send(operation)
    server.up, server.refuses = True, {TWO}
    outbox.deliver()
    assert [operation for operation, _ in server.done] == [ONE, THREE]
    assert not outbox.spool
    assert outbox.spool is not None
    assert '"path":"two"' in (outbox.spool.folder / "refused.jsonl").read_text()
    assert "not allowed" in said[1]
    assert "2 writes" in said[2]


def test_a_refusal_while_the_server_answers_is_the_callers(outbox: Outbox, server: Server) -> None:
    server.refuses = {ONE}
    with pytest.raises(MlflowException, match="not allowed"):
        outbox.send(ONE)
    assert not outbox.spool


def test_what_a_server_fails_at_is_asked_once_more(outbox: Outbox, server: Server, said: list[str]) -> None:
    def fail(_operation: Operation, *, again: bool) -> None:
        raise MlflowException("API request failed: too many 500 error responses")

    outbox.perform = fail
    outbox.send(ONE)
    outbox.deliver()
    assert "does not accept" in said[1]
    outbox.send(TWO)
    outbox.perform = server
    outbox.deliver()
    assert server.done == [(TWO, True)]


def test_a_long_delivery_is_cut_into_parts_between_which_the_study_goes_on(
    outbox: Outbox, server: Server, said: list[str], clock: list[float]
) -> None:
    server.up = False
    for operation in (ONE, TWO, THREE):
        outbox.send(operation)
    server.up = True

    def slow(operation: Operation, *, again: bool) -> None:
        clock[0] += DRAIN_S
        server(operation, again=again)

    outbox.perform = slow
    clock[0] += RETRY_S
    outbox.send(FOUR)
    assert [operation for operation, _ in server.done] == [ONE, TWO]
    outbox.deliver()
    assert [operation for operation, _ in server.done] == [ONE, TWO, THREE, FOUR]
    assert said[1:] == ["postgresql://me@host/d answers: 4 writes that waited for it are delivered"]


def test_two_processes_share_a_spool(outbox: Outbox, server: Server, said: list[str]) -> None:
    assert outbox.spool is not None
    other = Outbox(server, Spool(outbox.spool.folder), "", said.append)
    server.up = False
    outbox.send(ONE)
    other.send(TWO)
    outbox.send(THREE)
    server.up = True
    other.deliver()
    outbox.deliver()
    assert [operation for operation, _ in server.done] == [ONE, TWO, THREE]
