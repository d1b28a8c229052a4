import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from rich.console import Console

import model.preflight.fit
import model.training.stepping
from model.ranks import Ranks
from search.preparation import Preparation
from search.record import start_training_record
from search.settings import Settings
from search.shortage import naming_what_fits
from search.train import train_once
from tracking.query import find_runs
from tracking.store import artifact_folder, open_store

#: Clips that there is memory for; no limit of a CPU's memory is met at the same clip each time.
ROOM = 2
REASON = (
    "out of memory at training.batch_size = 8: OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.; "
    "set training.batch_size = 2, which fits"
)


def in_little_memory(real: Callable) -> Callable:
    def take_step(state, batch, *arguments, **named):
        if len(batch.video) > ROOM:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return real(state, batch, *arguments, **named)

    return take_step


@pytest.mark.parametrize("short", [model.training.stepping, model.preflight.fit])
def test_a_run_without_memory_names_the_batch_that_fits(
    tiny: Callable[..., Settings], record: Path, monkeypatch: pytest.MonkeyPatch, short
) -> None:
    """In the training, and in the preflight before it."""
    for module in {short, model.training.stepping}:
        monkeypatch.setattr(module, "take_step", in_little_memory(module.take_step))
    settings = tiny("training.batch_size=8", "losses.perceptual=0")
    with pytest.raises(RuntimeError) as raised, (record / "out").open("w") as out:
        train_once(settings, Console(file=out, width=200))
    assert str(raised.value) == REASON
    store = open_store(settings.tracking, print)
    (found,) = find_runs(store, role="train")
    assert (found.status, found.tags["reason"], found.tags["diagnosis"]) == ("FAILED", REASON, "error")
    folder = artifact_folder(store, found.id)
    findings = json.loads((folder / "diagnosis.json").read_text())["findings"]
    (shortage,) = [finding for finding in findings if finding["code"] == "memory.exhausted"]
    assert "training.batch_size = 2 fits (tried)" in shortage["evidence"]


def test_with_several_ranks_nothing_is_tried(tiny: Callable[..., Settings], prepared: Preparation) -> None:
    record = start_training_record(prepared, tiny(), name="x", role="train", parent=None, tags={})
    message = (
        "out of memory at training.batch_size = 2 on 2 processes: .*; set a smaller training.batch_size or start more"
    )
    with pytest.raises(RuntimeError, match=message), naming_what_fits(record, prepared, Ranks(0, 2, 2)):
        raise torch.OutOfMemoryError("CUDA out of memory.")
    assert record.shortage is None


def test_other_errors_go_through(tiny: Callable[..., Settings], prepared: Preparation) -> None:
    record = start_training_record(prepared, tiny(), name="x", role="train", parent=None, tags={})
    with pytest.raises(KeyError, match="other"), naming_what_fits(record, prepared, Ranks()):
        raise KeyError("other")
