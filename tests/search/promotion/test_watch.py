from dataclasses import replace

import pytest

from model.training.measurement import Measurement
from search.promotion.watch import HopelessRunError, Watch

COST = "up to 3 dB less is what a longer schedule costs so early"


@pytest.fixture
def evaluated(prepared_once):
    some = prepared_once.yardsticks["grey"]
    return lambda step, psnr: Measurement(step, {}, replace(some, psnr=psnr))


def test_each_mark_is_compared_once_with_the_evaluation_of_its_step(evaluated) -> None:
    watch = Watch(100_000, {2000: 24.0, 5000: 26.0}, 15.0)
    assert watch.judge(Measurement(2000, {})) == ""
    assert watch.judge(evaluated(1000, 10.0)) == ""
    early = watch.judge(evaluated(2000, 22.0))
    assert early == f"keeps up: at step 2000 the full run has 22.00 dB, its confirmations had 24.00; {COST}"
    assert watch.judge(evaluated(4000, 20.0)) == ""
    late = watch.judge(evaluated(5000, 22.5))
    assert late == (
        "warning: at step 5000 the full run has 22.50 dB, its confirmations had 26.00: it falls behind by more than 3 dB"
    )
    assert watch.judge(evaluated(5000, 22.5)) == ""
    assert watch.judge(evaluated(52_000, 20.0)) == ""
    assert watch.said == [early, late]


def test_a_resumed_run_says_nothing_of_marks_that_were_judged_before(evaluated) -> None:
    said = f"keeps up: at step 2000 the full run has 22.00 dB, its confirmations had 24.00; {COST}"
    watch = Watch(100_000, {2000: 24.0, 5000: 26.0}, 15.0, [said])
    assert watch.judge(evaluated(2000, 22.0)) == ""
    assert watch.judge(evaluated(5000, 25.0)).startswith("keeps up: at step 5000 ")


@pytest.mark.parametrize(("steps", "first"), [(100_000, 10_000), (2000, 1000)])
def test_a_run_that_shows_nothing_is_given_up_after_a_tenth_and_1000_steps(steps: int, first: int, evaluated) -> None:
    watch = Watch(steps, {}, 15.0)
    assert watch.judge(evaluated(first - 1, 4.24)) == ""
    with pytest.raises(
        HopelessRunError, match=rf"from step {first} on, but at step {first} it has 4.24 dB and that frame 15.00"
    ):
        watch.judge(evaluated(first, 4.24))


def test_a_run_above_that_goes_on(evaluated) -> None:
    assert Watch(100_000, {}, 15.0).judge(evaluated(50_000, 15.01)) == ""
