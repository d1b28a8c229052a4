import threading

import pytest
import torch

from model.data.parallel import in_parallel, worker_count


def test_results_come_in_the_order_of_the_items():
    assert list(in_parallel(lambda number: number * number, range(100), workers=4)) == [n * n for n in range(100)]


def test_items_are_worked_on_at_the_same_time():
    meeting = threading.Barrier(2, timeout=60)
    assert sorted(in_parallel(lambda _: meeting.wait(), range(2), workers=2)) == [0, 1]


def test_torch_runs_single_threaded_inside_and_as_before_afterwards():
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    try:
        assert set(in_parallel(lambda _: torch.get_num_threads(), range(4), workers=2)) == {1}
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)


def test_an_exception_passes_through():
    def fail(number: int) -> int:
        if number == 3:
            raise OSError("disk full")
        return number

    with pytest.raises(OSError, match="disk full"):
        list(in_parallel(fail, range(10), workers=2))


def test_workers_follow_the_setting(make_settings):
    assert worker_count(make_settings(workers=3)) == 3
    assert 1 <= worker_count(make_settings(workers=0)) <= 8
