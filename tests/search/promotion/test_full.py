import io
import json
import shutil
from dataclasses import replace

import pytest
import torch
from rich.console import Console
from safetensors.torch import load_file

from model.cli import InterruptedWorkError
from model.data.pixels import to_unit
from model.ranks import ALONE, Ranks
from model.training.checkpoint import WEIGHTS, has_checkpoint
from search.follow import follow
from search.lease import LostLeaseError
from search.opening import open_everything
from search.progress import StepProgress
from search.promotion import watch
from search.promotion.candidates import Candidate
from search.promotion.full import find_full_run, open_full_run, train_full, watch_of
from search.promotion.full_files import folder_of
from search.promotion.horizon import full_settings
from search.promotion.repeats import finished_repeats
from search.promotion.watch import WATCH_TAG, HopelessRunError, Watch
from search.reconcile import reconcile
from search.settings import load_settings
from tests.commands import ROOT
from tests.together import together
from tracking.query import find_runs, history, read_json
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


def train(opened, wanted, row=None, watching=None) -> str:
    out = io.StringIO()
    record = open_full_run(opened, wanted, CANDIDATE, row)
    watching = watching or Watch(8, {}, 0.0)
    train_full(record, opened, watching, Console(file=out, width=200), ALONE, force=True)
    return out.getvalue()


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
    # It is a longer training of its trial's settings, and so a point of the comparison of lengths.
    (point,) = finished_repeats(opened.prepared.store, opened.parent.id).values()
    assert (point.trial, point.seed, point.steps) == (3, wanted.training.seed, 8)
    assert point.score == row.metrics["score"]


def test_what_the_preflight_was_forced_past_comes_to_what_was_forced_before(opened, wanted, monkeypatch) -> None:
    monkeypatch.setattr("model.training.batches.to_unit", lambda pixels: to_unit(pixels) / 255)
    record = open_full_run(opened, wanted, CANDIDATE, None)
    options = {"force": True, "forced": ("unfinished", "gate")}
    train_full(record, opened, Watch(8, {}, 0.0), Console(file=io.StringIO()), ALONE, **options)
    row = find_full_run(opened, wanted)
    assert row is not None
    names = row.tags["forced"].split(", ")
    assert names[:2] == ["unfinished", "gate"]
    assert "data.double_normalised" in names


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


def killed_in(monkeypatch: pytest.MonkeyPatch, opened, wanted, place: str):
    """Train until a function is called that is not reached any more; returns the run's row."""

    def stop(*_arguments, **_options) -> None:
        raise InterruptedWorkError("killed by the test")

    monkeypatch.setattr(place, stop)
    with pytest.raises(InterruptedWorkError):
        train(opened, wanted)
    monkeypatch.undo()
    row = find_full_run(opened, wanted)
    assert row is not None
    return row


def test_weights_that_were_handed_over_before_the_end_are_not_trained_again(opened, wanted, monkeypatch) -> None:
    row = killed_in(monkeypatch, opened, wanted, "search.record.TrainingRecord.close")
    weights = artifact_folder(opened.prepared.store, row.id) / WEIGHTS
    before = weights.stat()
    assert not has_checkpoint(folder_of(opened.prepared.store, row))

    out = train(opened, wanted, row)
    assert "8 of 8 steps are recorded" in out
    assert "[" not in out  # no evaluation: no step was taken
    assert "preflight" not in out
    done = find_full_run(opened, wanted)
    assert done is not None
    assert (done.id, done.status) == (row.id, "FINISHED")
    assert (weights.stat().st_ino, weights.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_checkpoint_that_is_lost_is_said_and_the_same_weights_come_again(opened, wanted, monkeypatch) -> None:
    row = killed_in(monkeypatch, opened, wanted, "search.promotion.full.finish")
    folder = folder_of(opened.prepared.store, row)
    before = load_file(folder / WEIGHTS)
    shutil.rmtree(folder)
    out = train(opened, wanted, row)
    assert f"warning: 8 steps of the full run are recorded, but {folder} has no checkpoint to go on from" in out
    after = load_file(artifact_folder(opened.prepared.store, row.id) / WEIGHTS)
    assert all(torch.equal(after[name], before[name]) for name in before)


def test_what_the_preflight_measured_is_known_after_an_interruption(opened, wanted, monkeypatch) -> None:
    row = killed_in(monkeypatch, opened, wanted, "search.promotion.full.finish")
    record = open_full_run(opened, wanted, CANDIDATE, row)
    assert record.preflight is not None
    assert record.preflight.schedule.horizon == 8
    measured = read_json(opened.prepared.store, row.id, "preflight.json")
    assert json.loads(json.dumps(record.preflight.to_json())) == measured


def test_marks_are_evaluated_and_judged_once(opened, wanted, monkeypatch) -> None:
    step = StepProgress.step

    def stop_at_five(self, measurement) -> None:
        step(self, measurement)
        if measurement.step == 5:
            raise InterruptedWorkError("stopped by the test")

    out = io.StringIO()
    monkeypatch.setattr(StepProgress, "step", stop_at_five)
    record = open_full_run(opened, wanted, CANDIDATE, None)
    with pytest.raises(InterruptedWorkError):
        train_full(record, opened, Watch(8, {3: 99.0}, 0.0), Console(file=out, width=200), ALONE, force=True)
    monkeypatch.undo()
    assert "warning: at step 3 the full run has" in out.getvalue()
    row = find_full_run(opened, wanted)
    assert row is not None
    assert row.tags[WATCH_TAG].startswith("warning: at step 3 ")
    # Its checkpoint is of step 4: what it goes on with lies behind the mark, and nothing is said of a mark at another step.
    out_again = train(opened, wanted, row, Watch(8, {3: 99.0}, 0.0, [row.tags[WATCH_TAG]]))
    assert "99.00" not in out_again
    assert [step for step, _ in history(opened.prepared.store, row.id, "val/psnr")] == [2, 3, 4, 6, 8]


def test_a_better_evaluation_whose_weights_were_not_saved_keeps_no_others_from_being_the_best(
    opened, wanted, monkeypatch
) -> None:
    record = open_full_run(opened, wanted, CANDIDATE, None)
    kept: list[dict[int, float]] = []
    monkeypatch.setattr("search.promotion.full.keep_weights", lambda _folder, scores, _every: kept.append(scores))
    watching = Watch(8, {3: 0.0}, 0.0)
    train_full(record, opened, watching, Console(file=io.StringIO()), ALONE, force=True)
    assert set(kept[-1]) == {2, 4, 6, 8}
    assert 3 in dict(record.curves["score"])


def test_a_run_whose_study_was_taken_over_is_left_to_the_other(opened, wanted, monkeypatch) -> None:
    step = StepProgress.step

    def stand_still_at_three(self, measurement) -> None:
        step(self, measurement)
        if measurement.step == 3:
            opened.lease.taken_by = "maria@otherhost"

    monkeypatch.setattr(StepProgress, "step", stand_still_at_three)
    with pytest.raises(LostLeaseError, match="taken over by maria@otherhost; leave the study to it"):
        train(opened, wanted)
    row = find_full_run(opened, wanted)
    assert row is not None
    assert (row.status, row.tags["state"]) == ("RUNNING", "running")
    assert history(opened.prepared.store, row.id, "loss/total")[-1][0] <= 3
    assert (folder_of(opened.prepared.store, row) / "checkpoint").exists()


def be_hopeless(ranks: Ranks, changes: list[str]) -> str | bool:
    """A full run that is given up at its first evaluation, on one rank of several."""
    if not ranks.first:
        return follow(ranks)
    watch.GIVE_UP_STEPS = 1
    settings = load_settings(ROOT / "conf.toml", "cpu", changes)
    opened = open_everything(settings, lambda _line: None, 50)
    wanted = full_settings(settings, CANDIDATE)
    record = open_full_run(opened, wanted, CANDIDATE, None)
    try:
        train_full(record, opened, Watch(8, {}, 99.0), Console(file=io.StringIO()), ranks, force=True)
    except HopelessRunError as error:
        return str(error)
    finally:
        opened.lease.close()
    return ""


@pytest.mark.long
def test_ranks_give_a_hopeless_run_up_together(tiny_changes, record) -> None:
    first, other = together(be_hopeless, [*tiny_changes, *SMALL])
    assert "must be better than a frame of one colour from step 1 on, but at step 2 it has" in first
    assert other is False


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
        train(opened, wanted, watching=Watch(8, {}, 99.0))
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
    watching = watch_of(winner, opened.prepared, wanted)
    # Curves of the fixture end at their PSNR (1 dB above the short one) and lie (10 - part) / 10 dB lower before.
    assert watching.marks == {2000: pytest.approx(21.4), 5000: pytest.approx(22.0)}
    assert watching.steps == 8
    yardsticks = opened.prepared.yardsticks
    assert watching.constant_db == max(yardsticks[name].psnr for name in ("black", "grey", "mean_colour"))


def test_a_full_run_of_other_settings_is_another_one(opened, wanted) -> None:
    open_full_run(opened, wanted, CANDIDATE, None)
    other = full_settings(wanted, replace(CANDIDATE, parameters=CANDIDATE.parameters | {"encoder": 0.6}))
    assert find_full_run(opened, other) is None
