import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.laps import CHECKPOINTS, EVALUATIONS, REST, START, STEPS
from benchmarks.trial import processes_table, rates_table
from benchmarks.trial_process import LOGGING, PROCESS, RESULTS, SECOND, START_RUN, run_trials
from model.bank import build_bank
from model.cli import make_console
from search.settings import recipe_of
from tracking.query import find_runs, history
from tracking.store import artifact_folder, open_store


def test_two_trials_are_trained_recorded_and_timed(
    tiny: Callable, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    settings = tiny()
    bank = build_bank(recipe_of(settings), torch.device("cpu"), print)
    started = time.monotonic()
    result = run_trials(settings, bank.path, started - 5)
    took = time.monotonic() - started

    assert result["process"][PROCESS] > 5  # what went before counts
    for trial in result["trials"]:
        parts = trial["parts"]
        assert list(parts) == [START_RUN, START, STEPS, EVALUATIONS, CHECKPOINTS, REST, LOGGING, RESULTS]
        assert all(parts[name] > 0 for name in (START_RUN, STEPS, EVALUATIONS, CHECKPOINTS, LOGGING, RESULTS))
        assert trial["step_ms"] > 0
    everything = sum(result["process"].values()) + sum(sum(trial["parts"].values()) for trial in result["trials"])
    assert everything < took + 5
    assert result["peak_gpu_mib"] is None

    store = open_store(settings.tracking)
    first, second = find_runs(store, role="trial")
    assert second.parameters["losses.encoder"] == str(SECOND["losses.encoder"]) != first.parameters["losses.encoder"]
    for row in (first, second):
        assert row.status == "FINISHED"
        assert [step for step, _ in history(store, row.id, "loss/total")] == [1, 2, 3, 4]
        assert (artifact_folder(store, row.id) / "checkpoint" / "training.pt").exists()

    machine = {"device": "cpu", "torch": "2", "peak_gpu_mib": None}
    make_console().print(processes_table(machine, {"steps": 4, "source": "demo"} | result))
    make_console().print(rates_table(result))
    out = capsys.readouterr().out
    assert f"{everything - sum(result['trials'][1]['parts'].values()):.2f}" in out
    assert "no LPIPS" in out
