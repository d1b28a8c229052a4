import json
from collections.abc import Callable
from pathlib import Path

from benchmarks.laps import STEPS
from benchmarks.trial_process import PROCESS
from tests.commands import TINY, Command, settings_options


def test_the_command_prints_and_writes_the_times(call: Callable[..., Command], tmp_path: Path) -> None:
    out = tmp_path / "trial.json"
    done = call("benchmarks.trial", "--out", str(out), *settings_options(*TINY))
    assert done.code == 0, done.err
    result = json.loads(out.read_text())
    assert result["process"][PROCESS] > 0
    assert len(result["trials"]) == 2
    for trial in result["trials"]:
        assert f"{trial['parts'][STEPS]:.2f}" in done.out
        assert f"{1000 / trial['step_ms']:.1f}" in done.out
    assert (result["evaluation"]["clips"], result["evaluation"]["side_px"]) == (64, 128)
    assert {"torch", "mlflow", "command"} <= set(result["machine"])


def test_settings_that_leave_nothing_to_tell_apart_are_wrong_use(call: Callable[..., Command]) -> None:
    done = call("benchmarks.trial", *settings_options(*TINY, "training.log_every=2"))
    assert done.code == 2
    assert "training.log_every" in done.err
