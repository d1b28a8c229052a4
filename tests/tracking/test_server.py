"""Starting and stopping a server process; the real MLflow is started in test_ui.py."""

import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tracking.server import require_free, stop, wait_until_ready

#: A process that starts another one, says so, and then ignores a polite request to end, as its child does.
STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
time.sleep(600)
"""


def test_a_port_that_is_taken_is_refused() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        with pytest.raises(ValueError, match=rf"{port}: .* --set tracking\.port=N"):
            require_free(port)
    require_free(port)


def test_a_server_that_ends_is_reported_with_its_last_words(tmp_path: Path) -> None:
    log = tmp_path / "ui.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-c", "print('first', flush=True); raise SystemExit('no such table')"],
            stdout=output,
            stderr=output,
        )
    process.wait()
    with pytest.raises(RuntimeError, match="it ended: no such table"):
        wait_until_ready(process, 1, log)


def test_stopping_leaves_no_process_even_when_the_server_is_deaf(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tracking.server.STOP_LIMIT_S", 0.1)
    process = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    child = psutil.Process(int(process.stdout.readline()))
    process.stdout.close()

    stop(process)

    assert process.poll() is not None
    # What is left of the child may wait as a zombie for the system to collect it, but runs no more.
    gone, alive = psutil.wait_procs([child], timeout=10)
    assert gone or [left.status() for left in alive] == [psutil.STATUS_ZOMBIE]


def test_stopping_what_has_ended_is_no_error() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""], start_new_session=True)
    process.wait()
    stop(process)
