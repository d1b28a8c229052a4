"""The worker's own code, in a thread of this process at the other end of a real pipe."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest
import torch

from model.settings import change
from model.training.loop import train
from model.training.measurement import Measurement
from search.preparation import Preparation
from search.settings import Settings, recipe_of
from search.workers.messages import Assignment, Done, Failed, Progress, Ready, Supply, Task
from search.workers.worker import answers, serve

#: Seconds after which a worker that says nothing is a broken one.
PATIENCE_S = 120

CHANGES = {"losses.perceptual": 0.0, "losses.encoder": 0.3, "schedule.kind": "constant"}


@pytest.fixture
def assignment(tiny: Callable[..., Settings]) -> Assignment:
    """Of a study that prunes."""
    return Assignment(recipe_of(tiny()), None, torch.get_num_threads(), True)


@pytest.fixture
def pipe(assignment: Assignment, prepared_once: Preparation) -> Iterator[Connection]:
    with worker_of(assignment, prepared_once) as connection:
        yield connection


@contextlib.contextmanager
def worker_of(assignment: Assignment, prepared: Preparation) -> Iterator[Connection]:
    """The coordinator's end of a pipe to a worker that has said that it is ready."""
    ours, theirs = Pipe()

    def work() -> None:
        with pytest.raises((EOFError, ConnectionResetError)):  # how it ends once its coordinator is gone
            serve(theirs, assignment)

    thread = threading.Thread(target=work)
    thread.start()
    ours.send(Supply(prepared.bank.path, perceptual=False))
    assert receive(ours) == Ready()
    yield ours
    ours.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def receive(pipe: Connection) -> Any:
    assert pipe.poll(PATIENCE_S)
    return pipe.recv()


def hear_out(pipe: Connection, go_on: bool = True) -> tuple[list[Measurement], Done | Failed]:
    """Answer what asks; returns the measurements and how the trial ended."""
    measurements: list[Measurement] = []
    while isinstance(message := receive(pipe), Progress):
        measurements.append(message.measurement)
        if message.asks:
            pipe.send(go_on)
    return measurements, message


def test_it_trains_what_the_task_says_as_the_loop_alone_would(
    pipe: Connection, assignment: Assignment, prepared_once: Preparation, tmp_path: Path
) -> None:
    pipe.send(Task(0, CHANGES, tmp_path / "task"))
    measured, end = hear_out(pipe)
    assert isinstance(end, Done)
    recipe = change(assignment.recipe, CHANGES)
    alone = list(train(recipe, prepared_once.bank, perceptual=None, device=prepared_once.device))
    assert [m.step for m in measured] == [m.step for m in alone] == [1, 2, 3, 4]
    for mine, other in zip(measured, alone, strict=True):
        assert mine.scores == other.scores
        assert mine.values["loss/total"] == other.values["loss/total"]
    names = {path.name for path in (tmp_path / "task" / "checkpoint").iterdir()}
    assert names == {"model.safetensors", "training.pt", "clips.mp4"}


def test_a_word_to_stop_ends_the_trial_and_not_the_worker(pipe: Connection, tmp_path: Path) -> None:
    pipe.send(Task(0, CHANGES, tmp_path / "first"))
    measured, end = hear_out(pipe, go_on=False)
    assert ([m.step for m in measured], type(end)) == ([1, 2], Done)
    pipe.send(Task(1, CHANGES, tmp_path / "second"))
    measured, end = hear_out(pipe)
    assert ([m.step for m in measured], type(end)) == ([1, 2, 3, 4], Done)


def test_without_pruning_only_the_last_step_asks_and_a_no_spares_the_checkpoint(
    assignment: Assignment, prepared_once: Preparation, tmp_path: Path
) -> None:
    with worker_of(replace(assignment, pruning=False), prepared_once) as pipe:
        pipe.send(Task(0, CHANGES, tmp_path / "task"))
        heard = [receive(pipe) for _ in range(4)]  # all of it without a word from here
        assert [(h.measurement.step, h.measurement.scores is not None, h.asks) for h in heard] == [
            (1, False, False),
            (2, True, False),
            (3, False, False),
            (4, True, True),
        ]
        saved = tmp_path / "task" / "checkpoint" / "training.pt"
        before = saved.stat().st_mtime_ns
        pipe.send(False)
        assert isinstance(receive(pipe), Done)
        assert saved.stat().st_mtime_ns == before  # that of step 2: these settings save every second step


def test_waiting_for_an_answer_is_not_being_busy(
    assignment: Assignment, prepared_once: Preparation, tmp_path: Path
) -> None:
    recipe = change(assignment.recipe, CHANGES)
    with worker_of(assignment, prepared_once) as pipe:
        started_s = time.perf_counter()
        pipe.send(Task(0, CHANGES, tmp_path / "task"))
        waited_s = 0.0
        while isinstance(message := receive(pipe), Progress):
            if message.asks:
                heard_s = time.perf_counter()
                list(train(recipe, prepared_once.bank, perceptual=None, device=prepared_once.device))
                waited_s += time.perf_counter() - heard_s
                pipe.send(True)
        whole_s = time.perf_counter() - started_s
    assert isinstance(message, Done)
    assert 0 < message.busy_s <= whole_s - waited_s


def test_trials_of_one_worker_do_not_know_of_each_other(pipe: Connection, tmp_path: Path) -> None:
    losses = []
    for number, folder in enumerate(("a", "b")):
        pipe.send(Task(number, CHANGES, tmp_path / folder))
        measured, _ = hear_out(pipe)
        losses.append([m.values["loss/total"] for m in measured])
    assert losses[0] == losses[1]


def test_divergence_is_told_apart_from_other_errors(pipe: Connection, tmp_path: Path) -> None:
    pipe.send(Task(0, CHANGES | {"optimizer.learning_rate": 1e30}, tmp_path / "a"))
    _, end = hear_out(pipe)
    assert isinstance(end, Failed)
    assert end.diverged_at == 2
    assert end.reason.startswith("NonFiniteError: losses and gradient must be finite, but at step 2 ")
    assert "Traceback" in end.traceback

    (tmp_path / "file").write_text("a file where the folder should be")
    pipe.send(Task(1, CHANGES, tmp_path / "file"))
    _, end = hear_out(pipe)
    assert isinstance(end, Failed)
    assert not end.diverged
    assert end.reason.startswith(("NotADirectoryError", "FileExistsError", "OSError"))


def test_settings_that_break_a_rule_are_an_answer_too(pipe: Connection, tmp_path: Path) -> None:
    pipe.send(Task(0, {"losses.perceptual": 0.5}, tmp_path / "a"))
    _, end = hear_out(pipe)
    assert isinstance(end, Failed)
    assert "SettingsError" in end.reason or "ValueError: losses.perceptual above 0 needs LPIPS" in end.reason


def test_a_broken_context_is_seen_before_the_next_trial(monkeypatch: pytest.MonkeyPatch) -> None:
    def synchronize(_device: torch.device) -> None:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    # What a kernel that broke its context leaves; a machine without CUDA can break none.
    monkeypatch.setattr(torch.cuda, "synchronize", synchronize)
    assert not answers(torch.device("cuda"))
    assert answers(torch.device("cpu"))


def test_a_worker_whose_device_is_broken_answers_and_leaves(
    assignment: Assignment, prepared_once: Preparation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search.workers.worker.answers", lambda _device: False)
    ours, theirs = Pipe()
    thread = threading.Thread(target=serve, args=(theirs, assignment))
    thread.start()
    ours.send(Supply(prepared_once.bank.path, perceptual=False))
    assert receive(ours) == Ready()
    ours.send(Task(0, {"losses.perceptual": 0.5}, tmp_path / "a"))
    _, end = hear_out(ours)
    assert isinstance(end, Failed)
    assert end.leaves
    thread.join(PATIENCE_S)
    assert not thread.is_alive()  # and not because of this end, which is still open
    ours.close()
