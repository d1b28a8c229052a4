from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from benchmarks.sample import noise_bank
from benchmarks.trial_process import run_trial
from model.evaluation.yardsticks import measure_yardsticks
from model.training.capture import Captures
from search.preparation import Preparation
from search.settings import recipe_of
from tracking.query import find_runs, history
from tracking.store import open_store


def test_the_times_are_those_of_the_measurements(tiny: Callable, record: Path) -> None:
    settings, device = tiny("losses.perceptual=0.0"), torch.device("cpu")
    bank, store = noise_bank(recipe_of(settings)), open_store(settings.tracking)
    yardsticks = measure_yardsticks(bank, settings.evaluation, None, device)
    trial = run_trial(Preparation(store, bank, device, None, yardsticks), settings, Captures())
    (row,) = find_runs(store, role="trial")
    times = dict(history(store, row.id, "time/step_ms"))
    assert trial["step_ms"] == pytest.approx(sorted(times[step] for step in (2, 3, 4))[1])
    # Step 3 is the one later step whose lap ends without an evaluation; a checkpoint is in it as well.
    assert trial["wall_step_ms"] > times[3]
    waits = history(store, row.id, "time/data_wait_ms")
    mean = sum(value for _, value in waits) / len(waits) if waits else None
    assert trial["data_wait_ms"] == (None if mean is None else pytest.approx(mean))
