"""How evidence is read."""

import math

from model.training.settings import LOSSES as TRAINED_LOSSES
from tracking.diagnosis.evidence import LOSSES, Evidence


def with_curve(values: list[float]) -> Evidence:
    points = list(enumerate(values))
    return Evidence({}, {"a": points}, None, {}, None, None)


def test_the_losses_are_those_of_the_training() -> None:
    assert LOSSES == TRAINED_LOSSES


def test_curves_are_read_by_step_without_what_is_not_finite() -> None:
    evidence = Evidence({}, {"a": [(30, 3.0), (10, 1.0), (20, math.nan)]}, None, {}, None, None)
    assert evidence.values("a") == [1.0, 3.0]
    assert evidence.values("b") == []
    assert evidence.last_step() == 30


def test_the_end_of_a_curve_is_a_median() -> None:
    assert with_curve([9.0] * 50 + [1.0] * 9 + [100.0]).last("a") == 1.0
    assert with_curve([]).last("a") is None


def test_the_later_half_needs_two_points() -> None:
    assert with_curve([9.0, 9.0, 9.0, 1.0, 2.0, 3.0]).later_half("a") == 2.0
    assert with_curve([9.0, 1.0, 3.0]).later_half("a") == 2.0
    assert with_curve([1.0, 2.0]).later_half("a") is None


def test_weights_are_those_that_the_settings_name() -> None:
    evidence = Evidence({"losses.encoder": 1, "losses.seraena": 0.3, "losses.replay_mib": 16}, {}, None, {}, None, None)
    assert evidence.weights() == {"encoder": 1.0, "seraena": 0.3}
