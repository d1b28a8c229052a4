import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import TINY, Command, settings_options


def test_the_command_prints_and_writes_the_cost(call: Callable[..., Command], tmp_path: Path) -> None:
    """In a process of its own: the command as typed is part of what it writes."""
    out = tmp_path / "cost.json"
    done = call("benchmarks.probes", "--out", str(out), *settings_options(*TINY, "training.probe_every=7"))
    assert done.code == 0, done.err
    result = json.loads(out.read_text())
    more = result["probed_step_ms"] - result["step_ms"]
    assert result["cost_share"] == pytest.approx(more / result["step_ms"] / 7)
    assert result["perceptual"] is False
    assert result["machine"]["command"].startswith("python -m benchmarks.probes --out")
    assert "timed without the perceptual loss" in done.out
    for text in (f"{result['step_ms']:.1f} ms", f"{result['probed_step_ms']:.1f} ms", "7 steps"):
        assert text in done.out


def test_wrong_settings_are_wrong_use(call: Callable[..., Command]) -> None:
    done = call("benchmarks.probes", *settings_options("training.probe_evry=7"))
    assert done.code == 2
    assert "probe_every" in done.err
