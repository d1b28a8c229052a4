"""Real sockets on localhost."""

import socket
import threading
from collections.abc import Iterator
from multiprocessing import AuthenticationError, Pipe
from multiprocessing.connection import Client, Connection
from typing import Any

import pytest

import search.workers.relay
from search.workers.relay import answer_call, relay

KEY = b"what both know"


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        yield server


def call(server: socket.socket, key: bytes = KEY) -> tuple[threading.Thread, list[Any]]:
    """Call from a thread; the list gets the caller's end, or why it has none."""
    result: list[Any] = []

    def run() -> None:
        try:
            result.append(Client(server.getsockname(), authkey=key))
        except AuthenticationError as error:
            result.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, result


@pytest.fixture
def joined(server: socket.socket) -> Iterator[tuple[Connection, Connection, threading.Thread]]:
    """Both far ends of a relay and the thread that it runs in."""
    thread, result = call(server)
    line = answer_call(server, KEY)
    thread.join()
    ours, pipe = Pipe()
    running = threading.Thread(target=relay, args=(pipe, line))
    running.start()
    with ours, result[0]:
        yield ours, result[0], running
    running.join(60)
    assert not running.is_alive()


def test_messages_go_both_ways_whole_and_in_order(joined: tuple[Connection, Connection, threading.Thread]) -> None:
    ours, theirs, _ = joined
    picture = bytes(10_000_000)  # more than any buffer on the way
    sender = threading.Thread(target=lambda: [theirs.send(what) for what in (1, picture, {"loss": 0.5})])
    sender.start()
    assert [ours.recv() for _ in range(3)] == [1, picture, {"loss": 0.5}]
    sender.join()
    ours.send("stop")
    assert theirs.recv() == "stop"


def test_the_end_of_a_worker_is_the_end_of_the_pipe_after_its_last_word(
    joined: tuple[Connection, Connection, threading.Thread],
) -> None:
    ours, theirs, running = joined
    theirs.send("the last word")
    theirs.close()
    running.join(60)
    assert ours.recv() == "the last word"
    with pytest.raises(EOFError):
        ours.recv()


def test_the_end_of_the_coordinator_is_the_end_of_the_line(
    joined: tuple[Connection, Connection, threading.Thread],
) -> None:
    ours, theirs, _ = joined
    ours.close()
    with pytest.raises(EOFError):
        theirs.recv()


def test_a_silent_host_is_given_up(server: socket.socket) -> None:
    thread, result = call(server)
    connection = answer_call(server, KEY)
    thread.join()
    with connection, result[0], socket.socket(fileno=connection.fileno()) as line:
        assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
        assert line.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 30_000
        line.detach()


def test_a_caller_with_another_key_is_refused(server: socket.socket) -> None:
    thread, result = call(server, b"a guess")
    with pytest.raises(AuthenticationError, match=r"a caller from 127\.0\.0\.1 did not prove that it is a worker"):
        answer_call(server, KEY)
    thread.join()
    assert isinstance(result[0], AuthenticationError)


def test_a_caller_that_says_nothing_keeps_nobody_waiting(
    server: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search.workers.relay, "PROOF_S", 1)
    with (
        socket.create_connection(server.getsockname()),
        pytest.raises(AuthenticationError, match="did not prove"),
    ):
        answer_call(server, KEY)


def test_nobody_calls(server: socket.socket) -> None:
    server.settimeout(0.01)
    with pytest.raises(TimeoutError):
        answer_call(server, KEY)
