import pytest
import torch

from benchmarks.clock import Clock


def test_a_part_is_the_sum_of_its_times() -> None:
    clock = Clock(torch.device("cpu"))
    with clock.part("all"):
        for _ in range(3):
            with clock.part("inner"):
                sum(range(1000))
    once = Clock(torch.device("cpu"))
    with once.part("all"), once.part("inner"):
        pass
    assert list(clock.seconds) == ["inner", "all"]
    assert 0 < clock.seconds["inner"] < clock.seconds["all"]
    assert 0 < once.seconds["inner"] < once.seconds["all"]


def test_time_adds_up_over_entries() -> None:
    clock = Clock(torch.device("cpu"), {"part": 5.0})
    with clock.part("part"):
        pass
    assert clock.seconds["part"] > 5


def test_work_that_fails_counts_for_nothing() -> None:
    clock = Clock(torch.device("cpu"))
    with pytest.raises(ZeroDivisionError), clock.part("part"):
        _ = 1 / 0
    assert clock.seconds == {}


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_the_device_is_waited_for() -> None:
    device = torch.device("cuda")
    a = torch.randn(4096, 4096, device=device)
    clock = Clock(device)
    with clock.part("products"):
        for _ in range(20):
            a = (a @ a).clamp(-1, 1)
        done = torch.cuda.Event()
        done.record()
    assert done.query()
