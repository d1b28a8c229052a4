"""A promotion killed at each of its windows by a real SIGKILL: the same command comes to the same weights, once."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

import model.training.checkpoint
import search.progress
import search.promotion.register
import search.record
from model.bank import build_bank
from model.training.loop import train
from search.promotion.kept import BEST, keep_weights
from search.settings import load_settings, recipe_of
from tests.commands import ROOT
from tests.search.promotable import changes_at, make_promotable, promote_again
from tracking.query import find_runs
from tracking.registry import find_alias, newest_version
from tracking.store import artifact_folder, open_store

#: Where a function of the command is replaced by one that kills it, at which of its calls, and how many confirmations lack.
WINDOWS = {
    "during the confirmations": (search.progress.RepeatProgress, "ended", 1, 2),
    "between the files of a checkpoint": (model.training.checkpoint, "write_training", 2, 0),
    "after the checkpoint was handed over": (search.record.TrainingRecord, "close", 1, 0),
    "before the version": (search.promotion.register, "register_version", 1, 0),
    "between the version and its alias": (search.promotion.register, "set_alias", 1, 0),
}


def be_killed(changes: list[str], window: str) -> None:
    """Promote until the window is reached; runs in a process of its own."""
    place, name, at, _ = WINDOWS[window]
    whole, calls = getattr(place, name), []

    def die(*arguments, **options):
        calls.append(name)
        if len(calls) == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return whole(*arguments, **options)

    setattr(place, name, die)
    promote_again(load_settings(ROOT / "conf.toml", "cpu", changes))


@pytest.mark.long
@pytest.mark.parametrize("window", WINDOWS)
def test_a_kill_costs_no_weights_and_leaves_nothing_twice(
    tmp_path: Path, blank_record: Path, cache_dir: Path, window: str
) -> None:
    changes = changes_at(tmp_path / "mlruns", blank_record, cache_dir, "promotion.candidates=1")
    make_promotable(changes, leave_out=WINDOWS[window][3])
    process = multiprocessing.get_context("spawn").Process(target=be_killed, args=(changes, window))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL

    settings = load_settings(ROOT / "conf.toml", "cpu", changes)
    force = window == "during the confirmations"  # those that are trained are far below the recorded ones
    out = promote_again(settings, force=force)
    store = open_store(settings.tracking)
    (row,) = find_runs(store, role="full")
    assert (row.status, row.tags["state"]) == ("FINISHED", "complete")
    assert not [found for found in find_runs(store, role="confirm") if found.status == "RUNNING"]
    assert list((store.root / "running").iterdir()) == []
    assert newest_version(store, "taehv").number == "1"
    challenger = find_alias(store, "taehv", "challenger")
    assert challenger is not None
    assert challenger.run_id == row.id
    if window in ("after the checkpoint was handed over", "before the version", "between the version and its alias"):
        assert "[4/16]" not in out  # nothing was trained again
    same_as_uninterrupted(store, row.id, tmp_path / "whole")


def same_as_uninterrupted(store, run_id: str, folder: Path) -> None:
    """The last weights, the best ones and the milestones are those of the same settings trained at one go, bit for bit."""
    kept = artifact_folder(store, run_id) / "checkpoint"
    settings = load_settings(kept.parent / "conf.toml", "cpu", ())
    recipe, device = recipe_of(settings), torch.device("cpu")
    scores: dict[int, float] = {}
    steps = train(recipe, build_bank(recipe, device, print), perceptual=None, device=device, folder=folder)
    for measurement in steps:
        keep_weights(folder, scores, settings.promotion.keep_every)
        if measurement.scores is not None:
            scores[measurement.step] = measurement.scores.score
    keep_weights(folder, scores, settings.promotion.keep_every)
    names = {path.name for path in kept.glob("*.safetensors")}
    assert names == {path.name for path in (folder / "checkpoint").glob("*.safetensors")}
    assert BEST.name in names
    for name in names:
        ours, theirs = load_file(folder / "checkpoint" / name), load_file(kept / name)
        assert all(torch.equal(ours[key], theirs[key]) for key in theirs), name
