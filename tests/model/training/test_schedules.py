import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from model.training.schedules import multiplier
from model.training.settings import ScheduleSettings

KINDS = ("constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial")


def schedule(kind: str, warmup_share: float = 0.0, cycles: int = 3, power: float = 2.0) -> ScheduleSettings:
    return ScheduleSettings(kind=kind, warmup_share=warmup_share, cycles=cycles, power=power)


@pytest.mark.parametrize(
    ("kind", "step", "expected"),
    [
        ("constant", 0, 1.0),
        ("constant", 99, 1.0),
        # Ten steps of warm-up: the first already has a tenth, the tenth has all.
        ("constant_with_warmup", 0, 0.1),
        ("constant_with_warmup", 4, 0.5),
        ("constant_with_warmup", 9, 1.0),
        ("constant_with_warmup", 99, 1.0),
        ("linear", 10, 1.0),
        ("linear", 55, 0.5),
        ("linear", 99, 1 / 90),
        ("cosine", 10, 1.0),
        ("cosine", 40, 0.75),  # a third of the way: (1 + cos 60 degrees) / 2
        ("cosine", 55, 0.5),
        ("cosine", 70, 0.25),
        # Three cycles of 30 steps, each from the peak.
        ("cosine_with_restarts", 10, 1.0),
        ("cosine_with_restarts", 25, 0.5),
        ("cosine_with_restarts", 40, 1.0),
        ("cosine_with_restarts", 80, 0.75),
        ("polynomial", 55, 0.25),
        ("polynomial", 82, 0.04),
    ],
)
def test_hand_computed_values_of_100_steps_with_10_of_warmup(kind: str, step: int, expected: float) -> None:
    assert multiplier(step, 100, schedule(kind, warmup_share=0.1)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("step", "percent"), [(82_000, 58.0), (90_000, 21.4), (100_000, 0.0)])
def test_the_failed_run_had_not_decayed_when_its_report_says_so(step: int, percent: float) -> None:
    settings = schedule("cosine_with_restarts", warmup_share=0.02, cycles=3)
    assert 100 * multiplier(step, 100_000, settings) == pytest.approx(percent, abs=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_of_one_step_takes_it_at_the_peak(kind: str) -> None:
    assert multiplier(0, 1, schedule(kind, warmup_share=0.05)) == 1.0


@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_run_that_only_warms_up_reaches_the_peak_at_its_last_step(kind: str) -> None:
    shares = [multiplier(step, 4, schedule(kind, warmup_share=1.0)) for step in range(4)]
    assert shares == [0.25, 0.5, 0.75, 1.0]


@pytest.mark.parametrize("kind", ["linear", "cosine", "cosine_with_restarts", "polynomial"])
@pytest.mark.parametrize("warmup_share", [0.0, 0.1, 1.0])
def test_decayed_schedules_stay_at_zero_from_the_horizon_on(kind: str, warmup_share: float) -> None:
    assert [multiplier(step, 10, schedule(kind, warmup_share)) for step in (10, 11, 1000)] == [0.0, 0.0, 0.0]


@given(
    kind=st.sampled_from(KINDS),
    horizon=st.integers(1, 2000),
    place=st.floats(0, 1, exclude_max=True),
    warmup_share=st.floats(0, 1),
    cycles=st.integers(1, 5),
)
def test_every_step_of_a_run_has_a_rate_above_zero_and_at_most_the_peak(
    kind: str, horizon: int, place: float, warmup_share: float, cycles: int
) -> None:
    share = multiplier(int(place * horizon), horizon, schedule(kind, warmup_share, cycles))
    assert 0 < share <= 1


@given(step=st.integers(0, 99), kind=st.sampled_from(KINDS))
def test_warmup_and_decay_scale_with_the_horizon(step: int, kind: str) -> None:
    settings = schedule(kind, warmup_share=0.1)
    assert multiplier(1000 * step, 100_000, settings) == pytest.approx(multiplier(step, 100, settings), abs=0.1 + 1e-9)
    if step >= 10:
        assert multiplier(1000 * step, 100_000, settings) == pytest.approx(multiplier(step, 100, settings), abs=1e-9)


def test_decays_agree_with_the_schedules_of_diffusers() -> None:
    optimization = pytest.importorskip("diffusers.optimization")
    published = {
        "linear": optimization.get_linear_schedule_with_warmup(adamw(), 10, 100),
        "cosine": optimization.get_cosine_schedule_with_warmup(adamw(), 10, 100),
        "cosine_with_restarts": optimization.get_cosine_with_hard_restarts_schedule_with_warmup(adamw(), 10, 100, 3),
        "polynomial": optimization.get_polynomial_decay_schedule_with_warmup(adamw(), 10, 100, lr_end=0.0, power=2.0),
    }
    for kind, scheduler in published.items():
        (function,) = scheduler.lr_lambdas
        for step in range(10, 101):
            ours = multiplier(step, 100, schedule(kind, warmup_share=0.1))
            assert ours == pytest.approx(function(step), abs=1e-12), (kind, step)


def adamw() -> torch.optim.Optimizer:
    return torch.optim.AdamW([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
