"""Rules about what enters the model and what it is compared with."""

import math
from dataclasses import dataclass

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Finding
from tracking.diagnosis.texts import finding


@dataclass(frozen=True)
class Gap:
    """PSNR that the training's reconstruction loss implies, PSNR of the evaluation, both in dB."""

    implied: float
    measured: float

    @property
    def decibels(self) -> float:
        """By how much the training looks better than the evaluation; 48.13 is a factor of 255 between their pixels."""
        return self.implied - self.measured

    def evidence(self) -> tuple[str, ...]:
        """The numbers with their sources."""
        return (
            f"-10·log10(loss/reconstruction) = {self.implied:.1f} dB (curve loss/reconstruction)",
            f"PSNR = {self.measured:.2f} dB (evaluation, pooled over clips)",
            f"{self.implied:.1f} - {self.measured:.2f} = {self.decibels:.1f} dB; 20·log10(255) = 48.1, 20·log10(2) = 6.0",
        )


def gap_of(evidence: Evidence) -> Gap | None:
    """Compare training and evaluation.

    Both are of pooled errors where the evaluation has its clips: the mean of PSNRs is higher than the PSNR of the mean error.
    """
    loss = evidence.last("loss/reconstruction")
    if evidence.evaluation is None or not loss or loss <= 0:
        return None
    clips = [clip["psnr"] for clip in evidence.evaluation.get("clips", ())]
    errors = [10 ** (-psnr / 10) for psnr in clips] or [10 ** (-evidence.evaluation["psnr"] / 10)]
    return Gap(-10 * math.log10(loss), -10 * math.log10(sum(errors) / len(errors)))


def input_range(evidence: Evidence) -> tuple[float, float] | None:
    """The least and greatest value that ever entered the model."""
    low, high = evidence.values("input/min"), evidence.values("input/max")
    return (min(low), max(high)) if low and high else None


def range_evidence(low: float, high: float) -> tuple[str, ...]:
    """The input's range with its source."""
    return (f"input/min = {low:.4g} (curve, least)", f"input/max = {high:.4g} (curve, greatest)")


def double_normalised(evidence: Evidence) -> list[Finding] | None:
    """Frames divided by 255 twice: seen in the input itself, or in a gap of 48 dB between training and evaluation."""
    seen, gap = input_range(evidence), gap_of(evidence)
    if seen is None and gap is None:
        return None
    fits = gap is not None and abs(gap.decibels - limit.GAP_DOUBLE_DB) < limit.GAP_DOUBLE_TOLERANCE_DB
    if seen is None:
        assert gap is not None
        return [finding("data.double_normalised", "error", 0.9, gap.evidence())] if fits else []
    if seen[1] > limit.INPUT_MAX_DOUBLE or seen[0] < -limit.INPUT_MARGIN:
        return []
    numbers = range_evidence(*seen) + (gap.evidence() if gap and fits else ())
    return [finding("data.double_normalised", "error", 0.99 if fits else 0.95, numbers)]


def signed_range(evidence: Evidence) -> list[Finding] | None:
    """Frames in [-1, 1] where the model wants [0, 1]."""
    seen, gap = input_range(evidence), gap_of(evidence)
    if seen is not None:
        return [finding("data.signed_range", "error", 0.95, range_evidence(*seen))] if is_signed(*seen) else []
    if gap is None:
        return None
    # Without the input's range this is a hint only: other clips can be 6 dB easier or harder as well.
    if abs(abs(gap.decibels) - limit.GAP_SIGNED_DB) < limit.GAP_SIGNED_TOLERANCE_DB:
        return [finding("data.signed_range", "warning", 0.4, gap.evidence())]
    return []


def is_signed(low: float, high: float) -> bool:
    """Whether a range is one of frames in [-1, 1]."""
    return -limit.INPUT_BOUND_SIGNED <= low < limit.INPUT_MIN_SIGNED and high <= limit.INPUT_BOUND_SIGNED


def out_of_range(evidence: Evidence) -> list[Finding] | None:
    """Any other range than [0, 1], such as [0, 255] or frames normalised by the mean of a data set."""
    seen = input_range(evidence)
    if seen is None:
        return None
    low, high = seen
    inside = low >= -limit.INPUT_MARGIN and high <= 1 + limit.INPUT_MARGIN
    return (
        []
        if inside or is_signed(low, high)
        else [finding("data.out_of_range", "error", 0.95, range_evidence(low, high))]
    )


def misaligned(evidence: Evidence) -> list[Finding] | None:
    """The output fits other frames than its own better."""
    shift = (evidence.evaluation or {}).get("best_frame_shift")
    if shift is None:
        return None
    return [finding("frames.misaligned", "error", 0.9, (f"best_frame_shift = {shift} (evaluation)",))] if shift else []


def suspect_reference(evidence: Evidence) -> list[Finding] | None:
    """A teacher whose own round trip is poor cannot teach more than it knows."""
    source = evidence.settings.get("reference.source")
    required = required_round_trip(source, evidence)
    if evidence.reference is None or required is None:
        return None
    psnr = evidence.reference["psnr"]
    if psnr >= required:
        return []
    numbers = (f"PSNR of the round trip = {psnr:.2f} dB < {required:.2f} dB (reference {source}, same clips)",)
    return [finding("reference.suspect", "warning", 0.7, numbers)]


def required_round_trip(source: str | None, evidence: Evidence) -> float | None:
    """The PSNR in dB that a sound reference has at least.

    The linear reference is no trained network: what it reaches depends on the clips, but it must know more of a patch
    than the patch's mean colour.
    """
    if source != "pca":
        return limit.REFERENCE_PSNR_DB
    blurred = evidence.baselines.get("average_8x8")
    return None if blurred is None else float(blurred["psnr"])


def metric_mismatch(evidence: Evidence) -> list[Finding] | None:
    """The training loss tells another story than the evaluation."""
    gap = gap_of(evidence)
    if gap is None:
        return None
    if abs(gap.decibels) > limit.GAP_ERROR_DB:
        return [finding("loss.metric_mismatch", "error", 0.9, gap.evidence())]
    # Only in this direction: an evaluation that is better than the training has easier clips or averaged weights.
    if gap.decibels > limit.GAP_WARNING_DB:
        return [finding("loss.metric_mismatch", "warning", 0.6, gap.evidence())]
    return []
