"""What a diagnosis may look at, and how it is read."""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracking.diagnosis.stored import CheckpointFacts, StudyFacts

#: The losses that may have a weight (model/training/losses.py; not imported because that loads LPIPS).
LOSSES = ("encoder", "decoder", "reconstruction", "perceptual", "seraena")

#: Points of a curve that are taken together at its end; batches differ, so a single point says little.
LAST_POINTS = 10


@dataclass(frozen=True)
class Evidence:
    """Everything known about a run; what is not known is empty or None.

    Attributes:
        settings: flattened resolved settings, "table.key".
        curves: (step, value) by metric name.
        evaluation: the last evaluation's Scores.to_json().
        baselines: Scores.to_json() of the trivial baselines.
        reference: Scores.to_json() of the reference's own round trip.
        failure: how the run broke off.
        preflight: Preflight.to_json() (model/preflight/report.py).
        shortage: fields of model.training.memory.Shortage, where memory ran out.
        checkpoints: stored weights, by step.
        study: of a study's own diagnosis.
        origins: where a curve or a setting of a foreign run stood, by its name here: "tag train/recon_loss",
            "args.reconstruction_loss_weight".
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    curves: Mapping[str, list[tuple[int, float]]] = field(default_factory=dict)
    evaluation: Mapping[str, Any] | None = None
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    reference: Mapping[str, Any] | None = None
    failure: str | None = None
    preflight: Mapping[str, Any] | None = None
    shortage: Mapping[str, Any] | None = None
    checkpoints: tuple[CheckpointFacts, ...] = ()
    study: StudyFacts | None = None
    origins: Mapping[str, str] = field(default_factory=dict)

    def origin(self, name: str) -> str:
        """Where a curve or setting comes from, for people."""
        return self.origins.get(name, f"curve {name}" if name in self.curves else "settings")

    def weights(self) -> dict[str, float]:
        """The losses' weights as far as the settings name them."""
        known = {name: self.settings.get(f"losses.{name}") for name in LOSSES}
        return {name: float(weight) for name, weight in known.items() if weight is not None}

    def points(self, metric: str) -> list[tuple[int, float]]:
        """The finite points of a curve, by step; empty when it was never logged."""
        return [(step, value) for step, value in sorted(self.curves.get(metric, [])) if math.isfinite(value)]

    def values(self, metric: str) -> list[float]:
        """The finite values of a curve, by step; empty when it was never logged."""
        return [value for _, value in self.points(metric)]

    def last(self, metric: str) -> float | None:
        """The median of a curve's last points."""
        values = self.values(metric)[-LAST_POINTS:]
        return statistics.median(values) if values else None

    def later_half(self, metric: str) -> float | None:
        """The median of the points of a curve's later half, when there are at least two: what a run settled on."""
        values = self.values(metric)
        half = values[len(values) // 2 :]
        return statistics.median(half) if len(half) >= 2 else None

    def last_step(self) -> int:
        """The last step that any curve has; 0 without curves."""
        return max((step for points in self.curves.values() for step, _ in points), default=0)
