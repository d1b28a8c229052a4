"""The command that shows the record, as a person runs it."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import psutil
import pytest

from model.cli import run
from tracking.run import start_run
from tracking.store import Store
from tracking.ui import main

ROOT = Path(__file__).resolve().parents[2]


def command(record: Path, port: int) -> list[str]:
    changes = [f"tracking.root={record}", f"tracking.port={port}"]
    options = [part for change in changes for part in ("--set", change)]
    return [sys.executable, "-m", "tracking.ui", "--profile", "cpu", *options]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_server_serves_its_pages_itself(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tracking.store.open_store", lambda _settings: store)
    address = "https://mlflow.example"
    monkeypatch.setattr(sys, "argv", ["ui", "--profile", "cpu", "--set", f"tracking.uri={address}"])
    with pytest.raises(SystemExit) as left:
        run(main)
    assert not left.value.code
    assert capsys.readouterr().out == (
        f"{address} serves its pages itself:\n"
        f"all runs: {address}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning\n"
    )


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=60) as answer:
        return bytes(answer.read())


def test_without_a_record_it_says_how_to_make_one(tmp_path: Path) -> None:
    result = subprocess.run(command(tmp_path / "none", 5000), cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert re.fullmatch(r"error: the pages need a record, .* python -m search\.run.*\n", result.stderr)
    assert not (tmp_path / "none").exists()


def test_the_pages_are_served_until_ctrl_c(store: Store) -> None:
    study = start_run(store, "study", "study", None, {})
    run = start_run(store, "trial 0", "trial", study, {})
    run.picture(np.zeros((8, 8, 3), np.uint8), "validation", 1)
    run.text("diagnosis.md", "# Diagnosis\n")
    run.finish("FINISHED")
    port = free_port()
    base = f"http://127.0.0.1:{port}"

    process = subprocess.Popen(command(store.root, port), cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:  # ends when the command does, so a server that cannot start does not hang the test
        lines.append(line)
        if "Ctrl-C" in line:
            break
    family = psutil.Process(process.pid).children(recursive=True)
    try:
        said = "".join(lines)
        assert f"all runs: {base}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning" in said
        assert (
            f"study study: {base}/#/experiments/{store.experiment_id}/runs/{study.id}?workflowType=machine_learning"
            in said
        )
        assert get(f"{base}/health") == b"OK"
        assert b"<html" in get(base)
        found = json.loads(get(f"{base}/ajax-api/2.0/mlflow/runs/get?run_id={run.id}"))
        assert found["run"]["info"]["run_name"] == "trial 0"
        assert get(f"{base}/get-artifact?run_id={run.id}&path=diagnosis.md") == b"# Diagnosis\n"
    finally:
        os.kill(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        process.stdout.close()
    assert process.wait() == 0
    assert rest == "stopped\n"
    assert family
    assert psutil.wait_procs(family, timeout=10)[1] == []
