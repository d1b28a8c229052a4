"""Ranges of pixels and what they say."""

from collections.abc import Callable
from typing import Any

import pytest

from model.preflight.report import InputCheck, TensorRange
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.seen import Seen, other_frames, seen_ranges


@pytest.mark.parametrize(
    ("low", "high", "kind"),
    [
        (0.0, 1.0, "fine"),
        (0.0, 0.05, "fine"),  # a dark film
        (0.0, 1 / 255, "double"),
        (-1.0, 1.0, "signed"),
        (0.0, 255.0, "other"),
        (-2.1, 2.6, "other"),
    ],
)
def test_a_range_has_a_kind(low: float, high: float, kind: str) -> None:
    assert Seen("input", "curve", low, high).kind == kind


def test_everything_that_was_seen_is_listed(preflight_of: Callable[..., dict[str, Any]]) -> None:
    evidence = Evidence(
        curves={"input/min": [(1, 0.1), (2, 0.0)], "input/max": [(1, 0.9), (2, 0.8)]}, preflight=preflight_of()
    )
    seen = {one.place: (one.low, one.high) for one in seen_ranges(evidence)[1:]}
    assert seen == {
        place: (0.0, 1.0)
        for place in (
            "training input",
            "evaluation input",
            "target of the decoder loss",
            "target of the reconstruction loss",
        )
    }
    first = seen_ranges(evidence)[0]
    assert (first.low, first.high, first.source) == (0.0, 0.9, "curve input/max")
    assert seen_ranges(Evidence()) == []


def test_other_frames_than_the_stored_ones_are_told_by_side(preflight_of: Callable[..., dict[str, Any]]) -> None:
    frames = TensorRange(0.0, 1.0, 0.45, 0.25)
    assert other_frames(preflight_of()) == other_frames(None) == ()
    (told,) = other_frames(preflight_of(training_input=InputCheck(frames, 0.5)))
    assert told == "RMS(training input - stored frames) = 0.5 * their std > 0.02 (preflight)"
    (told,) = other_frames(preflight_of(evaluation_input=InputCheck(frames, 0.03)))
    assert "evaluation input" in told
    assert other_frames(preflight_of(training_input=InputCheck(frames, 0.005))) == ()  # rounding to bfloat16
