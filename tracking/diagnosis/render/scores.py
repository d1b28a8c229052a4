"""The scores of a run against what they must beat: trivial outputs on the same clips, or what good models reach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from model.evaluation.scores import METRICS, Metric
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.rules_output import BLURRED_BASELINE, CONSTANT_BASELINES

#: far_off: worse than an output without a picture, or not half of what is usual. below: worse than a blurred picture,
#: or than what is usual. reached: better than all of these.
Standing = Literal["far_off", "below", "reached", "not_measured"]

#: What a good model reaches, as the failed run's report has it: at the end of a training, and after 1000 steps. They
#: stand in where the trivial outputs of the same clips are not known, and are not measured on these clips.
USUAL = {"val/psnr": 30.0, "val/ssim": 0.9, "val/lpips": 0.1, "val/overall": 70.0}
USUAL_AFTER_1000_STEPS = {"val/psnr": 10.0, "val/ssim": 0.2}

DECIMALS = {"score": 2, "val/psnr": 2, "val/ssim": 3, "val/lpips": 3, "val/overall": 1}
# Flicker is not among these: on a slow clip a still output has little, so a trivial output is no floor for it.
TITLES = {"score": "score", "val/psnr": "PSNR", "val/ssim": "SSIM", "val/lpips": "LPIPS", "val/overall": "Overall"}


@dataclass(frozen=True)
class Comparison:
    """One metric of a run with what it must beat.

    Attributes:
        metric: name, unit and direction.
        value: of the run; None where it was not measured.
        constant: the best output without a picture (black, grey, mean colour) by name; None where none is known.
        blurred: the 8x8 average; None where it is not known.
        ceiling: the reference's own round trip; None where it is not known.
        usual: what good models reach; None for metrics without such a number.
        interval: 95 % interval of the value over clips; None where it is not known.
    """

    metric: Metric
    value: float | None
    constant: tuple[str, float] | None
    blurred: float | None
    ceiling: float | None
    usual: float | None
    interval: tuple[float, float] | None = None

    @property
    def standing(self) -> Standing:
        """Where the run stands; against trivial outputs of the same clips where they are known."""
        if self.value is None:
            return "not_measured"
        if self.constant is not None or self.blurred is not None:
            if self.constant is not None and not self.beats(self.constant[1]):
                return "far_off"
            return "below" if self.blurred is not None and not self.beats(self.blurred) else "reached"
        if self.usual is None:
            return "not_measured"
        if self.beats(self.usual):
            return "reached"
        half = self.usual / 2 if self.metric.better == "higher" else self.usual * 2
        return "below" if self.beats(half) else "far_off"

    @property
    def is_unknown(self) -> bool:
        """Whether neither the run nor anything on the same clips has a value."""
        return self.value is None and self.constant is None and self.blurred is None and self.ceiling is None

    def beats(self, other: float) -> bool:
        """Whether the run's value is better than another."""
        assert self.value is not None
        return self.value > other if self.metric.better == "higher" else self.value < other


def comparisons(evidence: Evidence) -> list[Comparison]:
    """Compare every metric that the run has or should have, in the order of TITLES."""
    compared = []
    for name in TITLES:
        metric = METRICS[name]
        constants = {
            baseline: value
            for baseline in CONSTANT_BASELINES
            if (value := value_of(evidence.baselines.get(baseline), name)) is not None
        }
        best = (max if metric.better == "higher" else min)(constants, key=lambda one: constants[one], default=None)
        comparison = Comparison(
            metric,
            value_of(evidence.evaluation, name),
            None if best is None else (best, constants[best]),
            value_of(evidence.baselines.get(BLURRED_BASELINE), name),
            value_of(evidence.reference, name),
            USUAL.get(name),
            ((evidence.evaluation or {}).get("intervals") or {}).get(name),
        )
        # The objective of a search is no metric of foreign runs; the others are asked for wherever they come from.
        if comparison.value is not None or name in USUAL:
            compared.append(comparison)
    return compared


def outputs(evidence: Evidence) -> dict[str, Mapping[str, Any]]:
    """The trivial outputs that are known, the poorest first."""
    return {
        name: evidence.baselines[name] for name in (*CONSTANT_BASELINES, BLURRED_BASELINE) if name in evidence.baselines
    }


def differences_db(evidence: Evidence) -> dict[str, float]:
    """By how much the run's PSNR is above that of each known output, and of the "reference"; empty without an evaluation."""
    own = value_of(evidence.evaluation, "val/psnr")
    others = {name: value_of(scores, "val/psnr") for name, scores in outputs(evidence).items()}
    others["reference"] = value_of(evidence.reference, "val/psnr")
    return {name: own - psnr for name, psnr in others.items() if own is not None and psnr is not None}


def value_of(scores: Mapping[str, Any] | None, metric: str) -> float | None:
    """One metric out of Scores.to_json() or of what a foreign evaluation holds."""
    value = (scores or {}).get(metric.removeprefix("val/"))
    return None if value is None else float(value)


def shown(metric: Metric, value: float) -> str:
    """Format a measured value with its unit."""
    return f"{value:.{DECIMALS[metric.name]}f}{unit(metric)}"


def shown_interval(metric: Metric, interval: tuple[float, float], to: str) -> str:
    """Format an interval without its unit, which stands at the value: "23.11 to 25.00"."""
    low, high = (f"{bound:.{DECIMALS[metric.name]}f}" for bound in interval)
    return f"{low} {to} {high}"


def shown_bound(metric: Metric, value: float) -> str:
    """Format a measured value that must be passed, with the direction: "> 21.80 dB"."""
    return f"{sign(metric)} {shown(metric, value)}"


def shown_usual(metric: Metric, value: float) -> str:
    """Format what good models reach; a round number has no decimals to be taken for precision: "> 30 dB"."""
    return f"{sign(metric)} {value:g}{unit(metric)}"


def sign(metric: Metric) -> str:
    """The direction in which a value is better."""
    return ">" if metric.better == "higher" else "<"


def unit(metric: Metric) -> str:
    """The unit as it is set behind a number."""
    return f" {metric.unit}" if metric.unit == "dB" else metric.unit
