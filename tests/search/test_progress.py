import io

from rich.console import Console

from model.training.measurement import Measurement
from search.progress import StepProgress, TrialProgress


def plain() -> Console:
    return Console(file=io.StringIO(), width=80)


def test_plain_lines_count_finished_trials_and_not_failed_ones() -> None:
    console = plain()
    with TrialProgress(console, already=1, total=4, steps=10) as progress:
        progress.begin(1, 0)
        progress.step(1, 5)
        progress.ended(1, "trial 001 done", 30.0)
        progress.ended(2, "trial 002 failed [sic]", finished=False, fault=True)
        progress.ended(3, "trial 003 done", 20.0)
        assert progress.table.best == (30.0, 1)
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
    progress.begin(0, 0)
    progress.step(0, 50)
    assert progress.remaining(progress.done) == "3 min 10 s remaining"  # half a trial took 10 s, 9.5 are left
    progress.table.finished = 10
    progress.table.running.clear()
    assert progress.remaining(progress.done) == "took 10 s"


def test_a_terminal_shows_one_table_with_the_running_trials_and_the_best_score() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with TrialProgress(console, already=0, total=2, steps=10) as progress:
        progress.ended(0, "trial 000 done", 12.5)
        progress.begin(1, 0)
        progress.step(1, 4)
        progress.scored(1, 11.0)
        progress.live.refresh()
    shown = console.file.getvalue()
    assert "[1/2] trial 000 done" in shown
    assert "1 of 2 trials, 1 running, 0 to come · best 12.50 (trial 0) · no faults" in shown
    assert "4/10   11.00" in shown
    assert "remaining" in shown


def test_elsewhere_there_is_no_table() -> None:
    console = plain()
    with TrialProgress(console, already=0, total=2, steps=10) as progress:
        progress.begin(1, 0)
        progress.step(1, 4)
    assert console.file.getvalue() == ""


def test_failed_and_diverged_trials_are_faults_and_those_of_earlier_commands_stay() -> None:
    with TrialProgress(plain(), already=0, total=9, steps=10, faults=3) as progress:
        progress.ended(0, "failed", finished=False, fault=True)
        progress.ended(1, "diverged", fault=True)
        progress.ended(2, "done", 0.0)
        progress.ended(3, "pruned")
        progress.ended(4, "interrupted", finished=False)
    assert (progress.table.faults, progress.table.finished, progress.table.best) == (5, 3, (0.0, 2))


def test_steps_are_a_line_per_evaluation() -> None:
    console = plain()
    with StepProgress(console, steps=10) as progress:
        progress.step(Measurement(5, {"loss/total": 1.0}))
    assert console.file.getvalue() == ""


def test_a_study_that_goes_on_begins_with_its_best_trial() -> None:
    with TrialProgress(plain(), already=3, total=9, steps=10, best=(40.0, 2)) as progress:
        progress.ended(5, "done", 30.0)
        assert progress.table.best == (40.0, 2)


def test_while_the_last_trial_ends_no_time_is_taken_for_the_whole() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    with TrialProgress(console, already=0, total=1, steps=10) as progress:
        progress.begin(0, 0)
        progress.step(0, 10)
        progress.live.refresh()
    shown = console.file.getvalue()
    assert "no faults · ending" in shown
    assert "took" not in shown
