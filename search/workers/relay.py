"""A line over TCP to a worker elsewhere, joined to a pipe of this process."""

import contextlib
import socket
import struct
from multiprocessing import AuthenticationError
from multiprocessing.connection import Connection, answer_challenge, deliver_challenge, wait

#: What an end says when the other one is gone; OSError also where a host stopped to answer.
GONE = (EOFError, OSError)

#: Seconds without an answer after which a silent host counts as gone: a power cut closes no connection.
SILENT_HOST_S = 30

#: Seconds that whoever connects gets to prove that it knows the key.
PROOF_S = 5


def watch_host(connection: Connection) -> None:
    """Have the system ask a silent host for signs of life, and give the connection up without them."""
    with socket.socket(fileno=connection.fileno()) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, SILENT_HOST_S // 3)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, SILENT_HOST_S // 6)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 4)
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_HOST_S * 1000)
        line.detach()  # the connection keeps its number


def answer_call(server: socket.socket, key: bytes) -> Connection:
    """Take the next call of a worker that knows the key; multiprocessing's `Client` is the other side.

    Raises:
        TimeoutError: nobody called within the server's own time limit.
        AuthenticationError: the caller does not know the key, or says nothing.
    """
    line, (host, *_) = server.accept()
    line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", PROOF_S, 0))
    connection = Connection(line.detach())
    try:
        deliver_challenge(connection, key)
        answer_challenge(connection, key)
    except (AuthenticationError, *GONE) as error:
        connection.close()
        raise AuthenticationError(f"a caller from {host} did not prove that it is a worker: {error!r}") from error
    with socket.socket(fileno=connection.fileno()) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 0))
        line.detach()
    watch_host(connection)
    return connection


def relay(pipe: Connection, line: Connection) -> None:
    """Hand on messages as bytes, both ways, until one of the two ends; then both are closed."""
    with pipe, line, contextlib.suppress(*GONE):
        while True:
            ready = wait([pipe, line])
            for source, sink in ((pipe, line), (line, pipe)):
                if source in ready:
                    sink.send_bytes(source.recv_bytes())
