import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pytest
import torch

from benchmarks.result import describe_machine, make_table, name_machine, write_result
from model.cli import make_console
from tests.commands import Command, settings_options


def test_a_result_says_where_it_comes_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "orig_argv", ["/somewhere/python3.11", "-m", "benchmarks.data", "--set", "a.b=[1, 2]"])
    machine = describe_machine(torch.device("cpu"), ("mlflow",))
    assert machine["device"] == f"cpu, {torch.get_num_threads()} threads"
    assert machine["torch"] == torch.__version__
    assert machine["mlflow"] == mlflow.__version__
    assert machine["command"] == "python -m benchmarks.data --set 'a.b=[1, 2]'"
    assert machine["peak_gpu_mib"] is None
    age = datetime.now(UTC) - datetime.fromisoformat(machine["date_utc"])
    assert -1 <= age.total_seconds() < 3600  # whole seconds are written

    write_result(tmp_path / "a.json", machine, {"step_ms": 1.5})
    assert json.loads((tmp_path / "a.json").read_text()) == {"machine": machine, "step_ms": 1.5}


def test_the_title_names_memory_where_there_is_a_gpu() -> None:
    machine = {"device": "NVIDIA H200", "torch": "2.13.0", "peak_gpu_mib": 1234.4}
    assert name_machine(machine) == "NVIDIA H200, torch 2.13.0, at most 1234 MiB of GPU memory"
    assert name_machine(machine | {"peak_gpu_mib": None}) == "NVIDIA H200, torch 2.13.0"


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_tells_its_name_and_the_most_memory_in_use() -> None:
    device = torch.device("cuda")
    torch.cuda.reset_peak_memory_stats(device)
    block = torch.empty(2**28, dtype=torch.uint8, device=device)
    machine = describe_machine(device)
    assert machine["device"] == torch.cuda.get_device_name(device)
    assert machine["peak_gpu_mib"] >= block.nbytes / 2**20


def test_a_file_without_its_folder_is_refused_before_the_work(call: Callable[..., Command], tmp_path: Path) -> None:
    done = call("benchmarks.data", "--out", str(tmp_path / "missing" / "a.json"), *settings_options())
    assert done.code == 2
    assert "folder" in done.err
    assert "seconds" not in done.out


def test_names_stand_left_and_numbers_right(capsys: pytest.CaptureFixture[str]) -> None:
    table = make_table("title", "part", "s")
    table.add_row("a", "1")
    table.add_row("longer", "10")
    make_console().print(table)
    assert [line.strip() for line in capsys.readouterr().out.splitlines()[-3:-1]] == ["a         1", "longer   10"]
