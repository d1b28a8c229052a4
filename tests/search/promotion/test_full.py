import io
from dataclasses import replace

import pytest
from rich.console import Console

from model.cli import InterruptedWorkError
from model.ranks import ALONE
from model.training.checkpoint import has_checkpoint
from search.progress import StepProgress
from search.promotion.candidates import Candidate
from search.promotion.full import (
    describe_stretch,
    find_full_run,
    folder_of,
    full_settings,
    open_full_run,
    train_full,
    watch_of,
)
from search.promotion.watch import HopelessRunError, Watch
from search.reconcile import reconcile
from tracking.query import find_runs
from tracking.store import artifact_folder

CANDIDATE = Candidate(
    3,
    "",
    20.0,
    {"encoder": 0.5, "decoder": 1.0, "reconstruction": 1.0, "perceptual": 0.0, "seraena": 0.1, "learning_rate": 1e-3}
    | {"schedule": "cosine"},
)
SMALL = ("promotion.steps=8", "promotion.evaluate_every=2", "promotion.keep_every=4", "promotion.long_steps=6")


@pytest.fixture
def wanted(tiny):
    return full_settings(tiny(*SMALL), CANDIDATE)


def train(opened, wanted, row=None, watch=None) -> str:
    out = io.StringIO()
    record = open_full_run(opened, wanted, CANDIDATE, row)
    watch = watch or Watch(8, {}, 0.0)
    train_full(record, opened.prepared, watch, Console(file=out, width=200), ALONE, force=True)
    return out.getvalue()


def test_settings_are_the_candidates_over_the_full_horizon(tiny) -> None:
    settings = tiny("promotion.steps=100000", "promotion.evaluate_every=2000", "promotion.keep_every=20000")
    full = full_settings(settings, CANDIDATE)
    assert (full.losses.encoder, full.optimizer.learning_rate, full.schedule.kind) == (0.5, 1e-3, "cosine")
    training = full.training
    assert (training.steps, training.evaluate_every, training.checkpoint_every) == (100_000, 2000, 2000)
    assert (training.log_every, training.probe_every) == (100, 500)
    assert training.seed == settings.training.seed
    said = describe_stretch(1000, full)
    assert said.startswith("schedule cosine stretched from 1000 to 100000 steps, the average's window from 50 to 5000")


def test_it_is_trained_recorded_and_found_again(opened, wanted) -> None:
    assert find_full_run(opened, wanted) is None
    train(opened, wanted)
    row = find_full_run(opened, wanted)
    assert row is not None
    assert (row.status, row.tags["state"], row.tags["trial_number"]) == ("FINISHED", "complete", "3")
    folder = artifact_folder(opened.prepared.store, row.id)
    names = {path.name for path in (folder / "checkpoint").iterdir()}
    assert {"model.safetensors", "training.pt", "best.safetensors", "step-000004.safetensors"} <= names
    assert (folder / "evaluation.json").exists()
    assert row.tags["diagnosis"] in ("ok", "warning", "error")


def test_an_interruption_keeps_everything_and_the_next_command_goes_on(
    opened, wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = StepProgress.step

    def stop_at_five(self, measurement) -> None:
        step(self, measurement)
        if measurement.step == 5:
            raise InterruptedWorkError("stopped by the test")

    monkeypatch.setattr(StepProgress, "step", stop_at_five)
    with pytest.raises(InterruptedWorkError):
        train(opened, wanted)
    monkeypatch.undo()
    row = find_full_run(opened, wanted)
    assert row is not None
    assert (row.status, row.tags["state"], row.tags["reason"]) == ("KILLED", "interrupted", "stopped by the test")
    assert has_checkpoint(folder_of(opened.prepared.store, row))

    out = train(opened, wanted, row)
    assert "goes on from its last checkpoint; 5 of 8 steps are recorded" in out
    assert "[4/8]" not in out
    (done,) = find_runs(opened.prepared.store, role="full")
    assert (done.id, done.status, done.tags["state"], done.tags["reason"]) == (row.id, "FINISHED", "complete", "")


def test_reconciling_leaves_the_files_of_a_killed_full_run(opened, wanted) -> None:
    record = open_full_run(opened, wanted, CANDIDATE, None)
    (record.folder / "checkpoint").mkdir()
    said: list[str] = []
    reconcile(opened.study, opened.prepared.store, opened.parent, 5, said.append)
    assert (record.folder / "checkpoint").exists()
    (row,) = find_runs(opened.prepared.store, role="full")
    assert (row.status, row.tags["state"]) == ("KILLED", "interrupted")
    assert said == [f"run '{row.name}' was left open: python -m search.promote goes on with it"]


def test_a_hopeless_run_has_failed_with_its_reason_and_its_weights(opened, wanted, monkeypatch) -> None:
    monkeypatch.setattr("search.promotion.watch.GIVE_UP_STEPS", 1)
    with pytest.raises(HopelessRunError):
        train(opened, wanted, watch=Watch(8, {}, 99.0))
    row = find_full_run(opened, wanted)
    assert row is not None
    assert (row.status, row.tags["state"]) == ("FAILED", "failed")
    assert "must be better than a frame of one colour" in row.tags["reason"]


def test_a_run_killed_after_its_last_checkpoint_is_scored_from_its_file(
    opened, wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_arguments, **_options) -> None:
        raise InterruptedWorkError("killed before its results")

    monkeypatch.setattr("search.promotion.full.finish", killed)
    with pytest.raises(InterruptedWorkError):
        train(opened, wanted)
    monkeypatch.undo()
    row = find_full_run(opened, wanted)
    assert row is not None
    train(opened, wanted, row)
    done = find_full_run(opened, wanted)
    assert done is not None
    assert done.status == "FINISHED"
    assert (artifact_folder(opened.prepared.store, done.id) / "evaluation.json").exists()


def test_the_watch_has_the_means_at_40_percent_and_at_the_end(opened, wanted, confirmed) -> None:
    winner = confirmed(3, [20.0, 22.0])
    watch = watch_of(winner, opened.prepared, wanted)
    # Curves of the fixture end at their PSNR (1 dB above the short one) and lie (10 - part) / 10 dB lower before.
    assert watch.marks == {2000: pytest.approx(21.4), 5000: pytest.approx(22.0)}
    assert watch.steps == 8
    yardsticks = opened.prepared.yardsticks
    assert watch.constant_db == max(yardsticks[name].psnr for name in ("black", "grey", "mean_colour"))


def test_a_full_run_of_other_settings_is_another_one(opened, wanted) -> None:
    open_full_run(opened, wanted, CANDIDATE, None)
    other = full_settings(wanted, replace(CANDIDATE, parameters=CANDIDATE.parameters | {"encoder": 0.6}))
    assert find_full_run(opened, other) is None
