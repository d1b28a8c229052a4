import os
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.result import describe_machine
from benchmarks.study import end_s, measure_study, read_record, record_folder, split_time, to_table
from model.cli import make_console
from tests.commands import settings_options
from tracking.query import RunRow, children, find_runs
from tracking.run import start_run
from tracking.store import open_store


def row(start_s: float, stop_s: float, status: str = "FINISHED", score: float = 1.0, role: str = "trial") -> RunRow:
    return RunRow("id", "trial", role, status, {}, {"score": score}, {}, int(1000 * start_s), int(1000 * stop_s))


STUDY = row(1010, 1100, role="study")
TRIALS = [
    row(1020, 1030, score=20.0),
    row(1030, 1045, score=30.0),
    row(1045, 1046, status="FAILED"),
    row(1046, 1060, status="KILLED", score=90.0),
]


def test_the_time_of_a_study_by_hand() -> None:
    result = split_time(STUDY, TRIALS, bank_made=1008, preflight_s=3, started=1000, ended=1120)
    assert result["phases"] == {
        "start, decode, make the bank": 8,
        "yardsticks, study opened": 2,
        "preflight": 3,
        "workers started": 7,
        "trials": 40,
        "report": 60,
    }
    assert sum(result["phases"].values()) == result["wall_s"] == 120
    assert result["trials_window_s"] == (1020, 1060)
    assert result["trials"] == {"FAILED": 1, "FINISHED": 2, "KILLED": 1}
    # Three trials count: the failed one is none.
    assert result["trials_per_minute"] == {"command": 1.5, "trials": 4.5}
    assert result["best_score"] == 30  # a pruned trial's score is of an earlier step


def test_a_record_is_read(tiny: Callable, record: Path, tmp_path: Path) -> None:
    settings = tiny(f"data.cache_dir={tmp_path / 'cache'}")
    bank = tmp_path / "cache" / "banks" / "a.safetensors"
    bank.parent.mkdir(parents=True)
    bank.touch()
    store = open_store(settings.tracking)
    study = start_run(store, "study", "study", None, {})
    study.json("preflight.json", {"seconds": 0.0})
    for score in (3.0, 4.0):
        trial = start_run(store, "trial", "trial", study, {})
        trial.metrics({"score": score}, 4)
        trial.finish("FINISHED")
    start_run(store, "confirmation", "confirm", study, {}).finish("FINISHED")
    made = find_runs(store, role="study")[0].start_ms / 1000
    os.utime(bank, (made - 2, made - 2))
    ended = max(end_s(child) for child in children(store, study.id)) + 5

    result = read_record(settings, made - 10, ended)
    assert result["trials"] == {"FINISHED": 2}
    assert result["best_score"] == 4.0
    assert result["phases"]["start, decode, make the bank"] == pytest.approx(8, abs=1e-3)
    assert result["phases"]["yardsticks, study opened"] == pytest.approx(2, abs=1e-3)
    assert sum(result["phases"].values()) == pytest.approx(result["wall_s"])


def test_a_cpu_measures_no_gpu(capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    result = split_time(STUDY, TRIALS, 1008, 3, 1000, 1120) | {"source": "demo", "gpu": None}
    machine = describe_machine(torch.device("cpu"))
    make_console().print(to_table(machine, result))
    gpu = {"busy_share": 0.934, "mean_utilisation": 71.0, "peak_mib": 3000.0, "covered_share": 0.99}
    make_console().print(to_table(machine, result | {"gpu": gpu}))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines() if "GPU" in line]
    assert [line.endswith("not measured") for line in lines] == [True] * 4 + [False] * 4
    assert [line.split("   ")[-1].strip() for line in lines[4:]] == ["93.4%", "71.0 %", "3000 MiB", "99.0%"]


def test_a_record_is_kept_in_a_new_folder_alone(tmp_path: Path) -> None:
    with record_folder(tmp_path / "new" / "record") as folder:
        (folder / "file").touch()
    assert (tmp_path / "new" / "record" / "file").exists()
    with pytest.raises(ValueError, match="record exists; name another"), record_folder(tmp_path / "new" / "record"):
        pass
    with record_folder(None) as folder:
        assert folder.is_dir()
    assert not folder.exists()


def test_a_study_that_fails_gives_no_numbers(tiny: Callable, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(RuntimeError, match="ended with 2; see above"):
        measure_study(tiny(), 1, settings_options("training.stps=1"), tmp_path)
    assert "did you mean 'steps'?" in capfd.readouterr().err
