from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.result import describe_machine
from benchmarks.tracking import BETWEEN_TRIALS, EVALUATIONS, TRIALS, VALUES, measure_record, to_table
from model.cli import make_console
from tracking.query import find_runs, history
from tracking.store import artifact_folder, open_store


def test_trials_are_recorded_as_a_study_does(
    tiny: Callable, record: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    settings = tiny(
        "training.steps=30", "training.log_every=5", "training.probe_every=15", "training.evaluate_every=12"
    )
    result = measure_record(settings, None, tmp_path)

    # Measured at 5, 10, 12, 15, 20, 24, 25 and 30, evaluated at 12, 24 and 30.
    assert (result["times"][VALUES], result["times"][EVALUATIONS]) == (5, 3)
    rows = find_runs(open_store(settings.tracking), role="trial")
    assert [row.status for row in rows] == ["FINISHED"] * (1 + 2 * TRIALS)
    store = open_store(settings.tracking)
    kept = [(artifact_folder(store, row.id) / "checkpoint").exists() for row in rows]
    assert kept == [False, *([False, True] * TRIALS)]
    of_last = rows[-1].id
    assert [step for step, _ in history(store, of_last, "loss/total")] == [5, 10, 12, 15, 20, 24, 25, 30]
    assert [step for step, _ in history(store, of_last, "val/psnr")] == [12, 24, 30]
    assert {15, 30} <= {step for step, _ in history(store, of_last, "weights/change")}
    files = [file for file in (artifact_folder(store, of_last) / "checkpoint").iterdir() if file.is_file()]
    assert result["checkpoint_mb"] == sum(file.stat().st_size for file in files) / 1e6 > 0

    for costs in (result["dropped"], result["kept"]):
        assert set(costs) == set(result["times"])
        assert all(cost > 0 for cost in costs.values())
    make_console().print(to_table(describe_machine(torch.device("cpu"), ("mlflow",)), result))
    between = sum(result["dropped"][part] for part in BETWEEN_TRIALS)
    (line,) = (line for line in capsys.readouterr().out.splitlines() if "between two trials" in line)
    assert line.split()[3] == f"{between:.0f}"
