import pytest

from search.busy import BusyTime, busy_shares, describe


def slot(first_task_s: float, *ends: tuple[float, float]) -> BusyTime:
    """A slot that heard of its first task then, and whose trials ended at (second, busy seconds)."""
    time = BusyTime()
    time.begin(first_task_s)
    for now_s, busy_s in ends:
        time.end(now_s, busy_s)
        time.begin(now_s + 1)  # later tasks do not move the first
    return time


def test_a_share_is_of_the_time_from_the_first_task_to_the_last_end() -> None:
    # Ten seconds from 100 to 110, of which 4 + 5 were spent on trials.
    assert busy_shares([slot(100, (104.5, 4), (110, 5))]) == {"time/busy_share": pytest.approx(0.9)}


def test_several_slots_have_a_share_each_and_one_together() -> None:
    shares = busy_shares([slot(0, (10, 9)), slot(5, (35, 15))])
    assert shares == {
        "time/busy_share": pytest.approx(24 / 40),
        "time/busy_share/slot_0": pytest.approx(0.9),
        "time/busy_share/slot_1": pytest.approx(0.5),
    }


def test_a_worker_that_died_was_idle_since_its_last_trial() -> None:
    assert busy_shares([slot(0, (10, 10), (20, 0))]) == {"time/busy_share": pytest.approx(0.5)}


def test_a_slot_without_a_trial_has_no_share() -> None:
    idle, begun = BusyTime(), slot(3)
    assert busy_shares([]) == busy_shares([idle, begun]) == {}
    assert set(busy_shares([idle, slot(0, (2, 1))])) == {"time/busy_share", "time/busy_share/slot_1"}


def test_shares_are_said_in_one_line() -> None:
    assert describe({"time/busy_share": 0.954}) == "workers busy 95 % of the trials' time"
    each = {"time/busy_share/slot_0": 1.0, "time/busy_share/slot_1": 0.6}
    assert describe({"time/busy_share": 0.8, **each}) == "workers busy 80 % of the trials' time (100 %, 60 %)"
