"""The MLflow server as a process of ours: started, waited for, stopped with all its children."""

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tracking.layout import ARTIFACTS
from tracking.serving import places

#: Local only: the pages have no password.
HOST = "127.0.0.1"
LOG = "ui.log"
#: Start-up takes 4 s on an idle machine, over a minute on a crowded one; a server that dies is noticed at once.
START_LIMIT_S = 300
STOP_LIMIT_S = 10


@contextmanager
def serve(root: Path, uri: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server within the block; it starts while the block begins (`wait_until_ready`) and is gone when it ends.

    Args:
        root: folder of the record.
        uri: of the record's database.
        port: on localhost.

    Raises:
        ValueError: the port is taken.
        RuntimeError: MLflow has no server.
    """
    require_server()
    require_free(port)
    with (root / LOG).open("wb") as output:
        # A session of its own, so that Ctrl-C reaches this process only and the server's children can be stopped as a group.
        process = subprocess.Popen(
            command(port), env=environment(root, uri), stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        stop(process)


def require_server() -> None:
    """Refuse an MLflow without its server (mlflow-skinny)."""
    if importlib.util.find_spec("flask") is None:
        raise RuntimeError("the pages need the full MLflow, but only mlflow-skinny is installed; pip install mlflow")


def require_free(port: int) -> None:
    """Refuse a port that another program listens on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ValueError(
                f"the pages need a free port, but {port}: {error.strerror}; choose another with --set tracking.port=N"
            ) from error


def command(port: int) -> list[str]:
    """The server; one process answers one person."""
    return [sys.executable, "-m", "tracking.serving", HOST, str(port)]


def environment(root: Path, uri: str) -> dict[str, str]:
    """Without MLflow's job queue, whose seven processes take 1 GB and stay behind when the server is killed.

    The database stands here and not among the arguments, which every user of the machine can read: it may hold a password.
    """
    quiet = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    return os.environ | quiet | places(uri, str(root / ARTIFACTS))


def wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return when the server answers.

    Raises:
        RuntimeError: it ended, or does not answer in time.
    """
    deadline = time.monotonic() + START_LIMIT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines() or ["it said nothing"]
            raise RuntimeError(f"the MLflow server must start, but it ended: {lines[-1]}; {log} has the rest")
        try:
            with urllib.request.urlopen(f"http://{HOST}:{port}/health", timeout=5):
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.2)  # not up yet
    raise RuntimeError(f"the MLflow server must answer within {START_LIMIT_S} s, but does not; {log} says more")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the server and every process that it started, also when Ctrl-C comes a second time meanwhile."""
    try:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(STOP_LIMIT_S)
    except (ProcessLookupError, subprocess.TimeoutExpired):
        pass  # gone already, or deaf: the next signal settles both
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
