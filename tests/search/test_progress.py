import io

import pytest
from rich.console import Console

from model.training.measurement import Measurement
from search.progress import StepProgress, TrialProgress, show_duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (200, "3 min 20 s"), (3600, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert show_duration(seconds) == text


def plain() -> Console:
    return Console(file=io.StringIO(), width=80)


def test_plain_lines_count_finished_trials_and_not_failed_ones() -> None:
    console = plain()
    with TrialProgress(console, already=1, total=4, steps=10) as progress:
        progress.step(1, 5)
        progress.ended(1, "trial 001 done", {"score": 30.0})
        progress.ended(2, "trial 002 failed [sic]", None)
        progress.ended(3, "trial 003 done", {"score": 20.0})
        assert progress.best == 30.0
    lines = console.file.getvalue().splitlines()
    assert [line.split(";")[0] for line in lines] == [
        "[2/4] trial 001 done",
        "[2/4] trial 002 failed [sic]",
        "[3/4] trial 003 done",
    ]
    assert all("remaining" in line for line in lines)


def test_the_remaining_time_counts_parts_of_running_trials() -> None:
    progress = TrialProgress(plain(), already=0, total=10, steps=100)
    assert progress.remaining(progress.done) == "remaining time not known yet"
    progress.started -= 10  # ten seconds ago
    progress.step(0, 50)
    assert progress.remaining(progress.done) == "3 min 10 s remaining"  # half a trial took 10 s, 9.5 are left
    progress.finished = 10
    progress.running.clear()
    assert progress.remaining(progress.done) == "took 10 s"


def test_a_terminal_shows_a_bar_with_trial_step_and_best_score() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with TrialProgress(console, already=0, total=2, steps=10) as progress:
        progress.ended(0, "trial 000 done", {"score": 12.5})
        progress.step(1, 4)
        progress.bar.refresh()
    shown = console.file.getvalue()
    assert "best 12.50, trial 1 at 4/10" in shown
    assert "remaining" in shown


def test_steps_are_a_line_per_evaluation() -> None:
    console = plain()
    with StepProgress(console, steps=10) as progress:
        progress.step(Measurement(5, {"loss/total": 1.0}))
    assert console.file.getvalue() == ""
