"""Ranges of pixels that were seen on their way: what entered the model, what a loss pulled towards."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import Evidence

Kind = Literal["fine", "double", "signed", "other"]


@dataclass(frozen=True)
class Seen:
    """Least and greatest value of some frames, where they were seen and how that is known."""

    place: str
    source: str
    low: float
    high: float
    std: float | None = None

    @property
    def kind(self) -> Kind:
        """Whether the range is that of frames in [0, 1], divided by 255 once more, in [-1, 1], or another."""
        if -limit.INPUT_BOUND_SIGNED <= self.low < limit.INPUT_MIN_SIGNED and self.high <= limit.INPUT_BOUND_SIGNED:
            return "signed"
        if self.low < -limit.INPUT_MARGIN or self.high > 1 + limit.INPUT_MARGIN:
            return "other"
        return "double" if self.high <= limit.INPUT_MAX_DOUBLE else "fine"

    def evidence(self) -> str:
        """The numbers with their source."""
        return f"{self.place}: min = {self.low:.4g}, max = {self.high:.4g} ({self.source})"


def seen_ranges(evidence: Evidence) -> list[Seen]:
    """Everything that is known, the training's own input first."""
    return [*from_curves(evidence), *from_preflight(evidence.preflight)]


def from_curves(evidence: Evidence) -> list[Seen]:
    """The training input by its curves."""
    low, high = evidence.values("input/min"), evidence.values("input/max")
    if not low or not high:
        return []
    return [Seen("training input", evidence.origin("input/max"), min(low), max(high), evidence.last("input/std"))]


def from_preflight(preflight: Mapping[str, Any] | None) -> list[Seen]:
    """Inputs and targets that the preflight saw."""
    if preflight is None:
        return []
    places = {
        "training input": preflight["training_input"]["range"],
        "evaluation input": preflight["evaluation_input"]["range"],
    } | {f"target of the {name} loss": target["range"] for name, target in targets(preflight).items()}
    return [Seen(place, "preflight", seen["minimum"], seen["maximum"], seen["std"]) for place, seen in places.items()]


def targets(preflight: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    """What losses against frames pull towards, by loss, where it is known."""
    losses = {} if preflight is None else preflight["losses"]
    return {name: loss["target"] for name, loss in losses.items() if loss["target"] is not None}


def other_frames(preflight: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Numbers of inputs that are not the frames that the bank holds for them: another contrast, other colours, noise."""
    if preflight is None:
        return ()
    sides = {"training": preflight["training_input"], "evaluation": preflight["evaluation_input"]}
    return tuple(
        f"RMS({side} input - stored frames) = {seen['difference']:.3g} * their std > {limit.INPUT_DIFFERENCE:g} (preflight)"
        for side, seen in sides.items()
        if seen["difference"] > limit.INPUT_DIFFERENCE
    )
