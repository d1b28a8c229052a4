"""The table of a running study, with a clock that the test moves."""

import io

from rich.console import Console

from search.live import StudyTable


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def shown(table: StudyTable) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=140)
    console.print(table.render("5 min 20 s remaining"))
    return [line.split() for line in console.file.getvalue().splitlines() if line.strip()]


def test_each_slot_shows_its_trial_step_score_rate_and_remaining_time() -> None:
    clock = Clock()
    table = StudyTable(total=50, steps=1000, finished=3, clock=clock)
    table.begin(3, 0)
    table.begin(4, 1)
    clock.now = 60.0  # the first steps may wait for a compiler
    table.step(3, 10)
    clock.now = 62.0
    table.step(3, 250)
    table.scored(3, 23.456)
    lines = shown(table)
    assert lines[-2] == ["0", "3", "250/1000", "23.46", "120.0", "6", "s"]  # 240 steps in 2 s, 750 left
    assert lines[-1] == ["1", "4", "0/1000"]
    assert " ".join(lines[0]) == (
        "3 of 50 trials, 2 running, 45 to come · no score yet · no faults · 5 min 20 s remaining"
    )


def test_rows_stand_in_the_order_of_the_workers_slots_and_keep_their_numbers() -> None:
    table = StudyTable(total=9, steps=10, finished=0)
    for number, slot in ((0, 2), (1, 0), (2, 1)):
        table.begin(number, slot)
    table.ended(2, 10.0, fault=False)
    assert [line[:2] for line in shown(table)[-2:]] == [["0", "1"], ["2", "0"]]


def test_the_best_trial_and_the_faults_are_named() -> None:
    table = StudyTable(total=9, steps=10, finished=3)
    for number, score in ((5, 40.0), (6, 30.0), (7, None)):
        table.ended(number, score, fault=score is None)
    assert " ".join(shown(table)[0]).startswith(
        "3 of 9 trials, 0 running, 6 to come · best 40.00 (trial 5) · 1 failed or diverged ·"
    )
