import io
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from rich.console import Console

from model.cli import InterruptedWorkError
from search.progress import RepeatProgress
from search.promotion.candidates import Candidate
from search.promotion.crew import Crew
from search.promotion.repeats import finished_repeats, plan_repeats
from search.signals import StopRequest
from search.workers.assignments import assignments
from search.workers.local import LocalWorker, started_workers
from tracking.query import children

PARAMETERS = {"encoder": 0.5, "decoder": 1.0, "reconstruction": 1.0, "perceptual": 0.0, "seraena": 0.1}
PARAMETERS |= {"learning_rate": 1e-3, "schedule": "constant"}


class HookedProgress(RepeatProgress):
    """The display, which also calls a hook at every measurement."""

    hook = staticmethod(lambda label, step: None)

    def step(self, label, measurement) -> None:
        super().step(label, measurement)
        self.hook(label, measurement.step)


def train(opened, settings, plans, stop=None, hook=None) -> str:
    out = io.StringIO()
    with started_workers(assignments(settings, opened.prepared.device)) as workers:
        progress = HookedProgress(Console(file=out, width=200), sum(plan.steps for plan in plans))
        if hook is not None:
            progress.hook = lambda label, step: hook(workers, label, step)
        with progress:
            Crew(opened, settings, progress, StopRequest() if stop is None else stop, list(plans)).run(workers)
    return out.getvalue()


def statuses(opened) -> list[tuple[str, str]]:
    rows = children(opened.prepared.store, opened.parent.id)
    return [(row.status, row.tags["state"]) for row in rows if row.role == "confirm"]


def running(opened) -> list[Path]:
    return list((opened.prepared.store.root / "running").iterdir())


def test_every_plan_becomes_a_finished_run(opened, tiny) -> None:
    settings = tiny("search.workers=1")
    plans = plan_repeats(settings, [Candidate(3, "", 20.0, PARAMETERS)], [1, 2], [4])
    out = train(opened, settings, plans)
    assert set(finished_repeats(opened.prepared.store, opened.parent.id)) == {plan.identity for plan in plans}
    assert statuses(opened) == [("FINISHED", "complete")] * 2
    assert "[8/8 steps] trial 3, seed 2, 4 steps: score" in out
    assert running(opened) == []


def test_a_worker_that_is_killed_is_replaced_and_its_repeat_tried_again(opened, tiny) -> None:
    settings = tiny("search.workers=1")
    plans = plan_repeats(settings, [Candidate(3, "", 20.0, PARAMETERS)], [1], [4])
    killed: list[int] = []

    def kill_once(workers: list[LocalWorker], _label: str, step: int) -> None:
        if step == 2 and not killed:
            pid = workers[0].process.pid
            assert pid is not None
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    out = train(opened, settings, plans, hook=kill_once)
    assert "failed: its worker ended with exit code -9; it is tried again" in out
    assert statuses(opened) == [("FAILED", "failed"), ("FINISHED", "complete")]
    assert running(opened) == []


def test_a_repeat_whose_worker_dies_each_time_stops_the_promotion_with_the_reason(opened, tiny, monkeypatch) -> None:
    settings = tiny("search.workers=1")
    monkeypatch.setattr("search.promotion.crew.MAX_RETRIES", 1)
    killed: set[int] = set()

    def kill(_workers: list[LocalWorker], _label: str, step: int) -> None:
        for worker in multiprocessing.active_children() if step == 1 else []:
            assert worker.pid is not None
            killed.add(worker.pid)
            worker.kill()

    plans = plan_repeats(settings, [Candidate(3, "", 20.0, PARAMETERS)], [1], [4])
    with pytest.raises(RuntimeError, match="trial 3, seed 1, 4 steps failed 2 times, last with: its worker ended with"):
        train(opened, settings, plans, hook=kill)
    assert len(killed) == 2
    assert statuses(opened) == [("FAILED", "failed")] * 2
    assert running(opened) == []


def test_a_repeat_that_diverges_is_a_result_and_spares_the_rest_of_its_setting(opened, tiny) -> None:
    # Evaluated every fourth step: the loss of the second is no number any more.
    settings = tiny("search.workers=1")
    wild, sound = Candidate(3, "", 20.0, PARAMETERS | {"learning_rate": 1e30}), Candidate(4, "", 19.0, PARAMETERS)
    plans = [*plan_repeats(settings, [wild], [1, 2], [40]), *plan_repeats(settings, [sound], [1], [4])]
    out = train(opened, settings, plans)
    assert "trial 3, seed 1, 40 steps diverged: NonFiniteError: " in out
    assert "; its 1 other confirmations are left out" in out
    assert "[4/4 steps] trial 4, seed 1, 4 steps: score" in out
    found = finished_repeats(opened.prepared.store, opened.parent.id)
    assert {identity: repeat.diverged for identity, repeat in found.items()} == {
        plans[0].identity: True,
        plans[2].identity: False,
    }
    assert statuses(opened) == [("FAILED", "failed"), ("FINISHED", "complete")]
    assert running(opened) == []


def test_a_request_to_stop_closes_what_runs(opened, tiny) -> None:
    settings, stop = tiny("search.workers=1"), StopRequest()
    plans = plan_repeats(settings, [Candidate(3, "", 20.0, PARAMETERS)], [1, 2], [4])

    def ask(_workers: list[LocalWorker], _label: str, step: int) -> None:
        if step == 2:
            stop.signal_name = "SIGTERM"

    with pytest.raises(InterruptedWorkError, match="stopped by SIGTERM with 1 more confirmations to come"):
        train(opened, settings, plans, stop, ask)
    assert statuses(opened) == [("FAILED", "failed")]
    assert running(opened) == []
