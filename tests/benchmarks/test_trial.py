import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.laps import CHECKPOINTS, EVALUATIONS, REST, START, STEPS
from benchmarks.trial import main, measure_trials, processes_table, rates_table
from benchmarks.trial_process import LOGGING, RESULTS, SECOND, START_RUN
from model.cli import make_console
from tests.commands import ROOT, TINY
from tracking.query import find_runs, history
from tracking.store import artifact_folder, open_store


def test_two_trials_are_trained_recorded_and_timed_in_a_process_of_their_own(
    tiny: Callable, record: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings, began = tiny(), time.monotonic()
    result = measure_trials(settings, print, evaluated_clips=2)
    took = time.monotonic() - began

    for trial in result["trials"]:
        parts = trial["parts"]
        assert list(parts) == [START_RUN, START, STEPS, EVALUATIONS, CHECKPOINTS, REST, LOGGING, RESULTS]
        assert all(parts[name] > 0 for name in (START_RUN, STEPS, EVALUATIONS, CHECKPOINTS, LOGGING, RESULTS))
        assert trial["step_ms"] > 0
    once, second = sum(result["process"].values()), sum(result["trials"][1]["parts"].values())
    first = sum(result["trials"][0]["parts"].values())
    assert once + first + second + result["evaluation"]["seconds"] < took
    assert (result["evaluation"]["clips"], result["evaluation"]["side_px"]) == (2, 128)
    assert result["peak_gpu_mib"] is None

    store = open_store(settings.tracking)
    runs = find_runs(store, role="trial")
    assert [row.parameters["losses.encoder"] for row in runs] == ["1.0", str(SECOND["losses.encoder"])]
    for row in runs:
        assert row.status == "FINISHED"
        assert [step for step, _ in history(store, row.id, "loss/total")] == [1, 2, 3, 4]
        assert (artifact_folder(store, row.id) / "checkpoint" / "training.pt").exists()

    make_console().print(processes_table({"device": "cpu", "torch": "2", "peak_gpu_mib": None}, result))
    make_console().print(rates_table(result))
    out = capsys.readouterr().out
    assert f"{once + first:.2f}" in out
    assert f"{1000 / result['trials'][1]['step_ms']:.1f}" in out
    assert "no LPIPS" in out


def test_settings_that_leave_nothing_to_tell_apart_are_refused() -> None:
    with pytest.raises(ValueError, match=r"training\.log_every"):
        main(None, ROOT / "conf.toml", "cpu", [*TINY, "training.log_every=2"])
