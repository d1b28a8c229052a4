from collections.abc import Callable

import pytest

from model.preflight.schedule import check_schedule
from model.recipe import Recipe


@pytest.mark.parametrize(
    ("kind", "warmup", "warmup_share", "low_share"),
    [
        ("constant", 0.5, 0.0, 0.0),
        # Step 9 of 100, after nine others, is the first at the peak.
        ("constant_with_warmup", 0.1, 0.09, 0.0),
        # 1 - step / 100 is below 0.01 never: the last step, 99, has 0.01.
        ("linear", 0.0, 0.0, 0.0),
        # (1 - step / 100)^3 < 0.01 for step > 78.5: 79 to 99.
        ("polynomial", 0.0, 0.0, 0.21),
        # (1 + cos(pi * p)) / 2 < 0.01 for p > 0.9362: steps 94 to 99.
        ("cosine", 0.0, 0.0, 0.06),
        ("constant_with_warmup", 1.0, 0.99, 0.0),
    ],
)
def test_hand_counted_schedules_of_a_hundred_steps(
    recipe: Callable[..., Recipe], kind: str, warmup: float, warmup_share: float, low_share: float
) -> None:
    settings = recipe(
        "training.steps=100", "schedule.power=3", f"schedule.kind={kind}", f"schedule.warmup_share={warmup}"
    )
    found = check_schedule(settings)
    assert found.horizon == 100
    assert found.warmup_share == pytest.approx(warmup_share)
    assert found.low_share == pytest.approx(low_share)
