import time
from datetime import datetime
from pathlib import Path

import pytest

from benchmarks.gpu_use import Sample, read_samples, sampling, summarise

WRITTEN = """2026/11/23 12:00:00.500, 0, 1000
2026/11/23 12:00:00.700, 80, 3500
2026/11/23 12:00:00.900, [N/A], 3500
2026/11/23 12:00:01.1"""


def test_what_nvidia_smi_writes_is_read() -> None:
    first = datetime(2026, 11, 23, 12, 0, 0, 500_000).timestamp()
    assert read_samples(WRITTEN) == [Sample(first, 0.0, 1000.0), Sample(pytest.approx(first + 0.2), 80.0, 3500.0)]


def test_use_is_of_the_time_asked_for_and_memory_of_all() -> None:
    samples = [Sample(0.0, 100.0, 9000.0), Sample(10.0, 0.0, 10.0), Sample(11.0, 50.0, 20.0), Sample(18.0, 100.0, 30.0)]
    assert summarise(samples, 10.0, 20.0) == {
        "samples": 3,
        "covered_share": 0.8,
        "busy_share": 2 / 3,
        "mean_utilisation": 50.0,
        "peak_mib": 9000.0,
    }
    assert summarise(samples, 30.0, 40.0) is None


def test_a_sampler_runs_beside_the_work_and_ends_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, log, arguments = tmp_path / "nvidia-smi", tmp_path / "log", tmp_path / "arguments"
    # What a GPU's tool does: say a line every now and then, until it is told to end.
    program.write_text(
        f'#!/bin/sh\necho "$@" > {arguments}\ntrap "echo ended >> {arguments}; exit 0" TERM\n'
        'while true; do echo "2026/11/23 12:00:00.500, 7, 1000"; sleep 0.01; done\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with sampling(["0", "3"], log):
        deadline = time.monotonic() + 60
        while not log.read_text() and time.monotonic() < deadline:
            pass
    assert {sample.utilisation for sample in read_samples(log.read_text())} == {7.0}
    given, end = arguments.read_text().split("\n")[:2]
    assert end == "ended"
    assert "--id=0,3" in given
    assert "--query-gpu=timestamp,utilization.gpu,memory.used --format=csv,noheader,nounits --loop-ms=200" in given


def test_without_gpus_nothing_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with sampling([], tmp_path / "log"):
        pass
    assert not (tmp_path / "log").exists()


def test_a_gpu_without_its_tool_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RuntimeError, match="put it on the PATH"), sampling(["0"], tmp_path / "log"):
        pass


def test_a_tool_that_gives_up_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nexit 6\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(RuntimeError, match="ended with 6"), sampling(["99"], tmp_path / "log"):
        pass
