"""Rules about what enters the model and what it is compared with."""

import math
from dataclasses import dataclass

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Finding
from tracking.diagnosis.seen import Kind, Seen, other_frames, seen_ranges, targets
from tracking.diagnosis.texts import finding

#: Files that a finding names; the report of the preflight lists more.
SHOWN_FILES = 3


@dataclass(frozen=True)
class Gap:
    """PSNR that the training's reconstruction loss implies, PSNR of the evaluation, both in dB."""

    implied: float
    measured: float
    source: str

    @property
    def decibels(self) -> float:
        """By how much the training looks better than the evaluation; 48.13 is a factor of 255 between their pixels."""
        return self.implied - self.measured

    def evidence(self) -> tuple[str, ...]:
        """The numbers with their sources."""
        return (
            f"training - evaluation: gap = {self.implied:.1f} - {self.measured:.2f} = {self.decibels:.1f} dB; "
            "20·log10(255) = 48.1, 20·log10(2) = 6.0",
            f"-10·log10(loss/reconstruction) = {self.implied:.1f} dB ({self.source})",
            f"PSNR = {self.measured:.2f} dB (evaluation, pooled over clips)",
        )


def gap_of(evidence: Evidence) -> Gap | None:
    """Compare training and evaluation.

    Both are of pooled errors where the evaluation has its clips: the mean of PSNRs is higher than the PSNR of the mean error.
    """
    loss = evidence.last("loss/reconstruction")
    if (evidence.evaluation or {}).get("psnr") is None or not loss or loss <= 0:
        return None
    assert evidence.evaluation is not None
    clips = [clip["psnr"] for clip in evidence.evaluation.get("clips", ())]
    errors = [10 ** (-psnr / 10) for psnr in clips] or [10 ** (-evidence.evaluation["psnr"] / 10)]
    measured = -10 * math.log10(sum(errors) / len(errors))
    return Gap(-10 * math.log10(loss), measured, evidence.origin("loss/reconstruction"))


def double_normalised(evidence: Evidence) -> list[Finding] | None:
    """Frames divided by 255 twice: all pixels are next to black, or there is a gap of 48 dB.

    The pixels are those of the curves input/min and input/max and of the preflight: what entered the model in training and in
    evaluation, what the losses compare with. The gap is the PSNR that loss/reconstruction implies less the evaluation's; it
    counts alone only where no range was seen.
    """
    seen, gap = seen_ranges(evidence), gap_of(evidence)
    if not seen and gap is None:
        return None
    fits = gap is not None and abs(gap.decibels - limit.GAP_DOUBLE_DB) < limit.GAP_DOUBLE_TOLERANCE_DB
    numbers = ranges_of("double", seen) + (gap.evidence() if gap and fits else ())
    if any(one.kind == "double" for one in seen):
        return [finding("data.double_normalised", "error", 0.99 if fits else 0.95, numbers)]
    # A range that was seen and is right outweighs a gap, which has other causes as well.
    return [finding("data.double_normalised", "error", 0.9, numbers)] if fits and not seen else []


def signed_range(evidence: Evidence) -> list[Finding] | None:
    """Frames in [-1, 1]: the same ranges as above reach below 0 and not beyond -1 and 1.

    Where no range was seen, a gap of 6 dB between the PSNR that loss/reconstruction implies and the evaluation's is a hint.
    """
    seen, gap = seen_ranges(evidence), gap_of(evidence)
    if seen:
        numbers = ranges_of("signed", seen)
        return [finding("data.signed_range", "error", 0.95, numbers)] if numbers else []
    if gap is None:
        return None
    # Without the input's range this is a hint only: other clips can be 6 dB easier or harder as well.
    if abs(abs(gap.decibels) - limit.GAP_SIGNED_DB) < limit.GAP_SIGNED_TOLERANCE_DB:
        return [finding("data.signed_range", "warning", 0.4, gap.evidence())]
    return []


def out_of_range(evidence: Evidence) -> list[Finding] | None:
    """Any other range than [0, 1], such as [0, 255], or other frames than the bank holds for training or evaluation.

    The range is that of the curves input/min and input/max and of the preflight; the preflight compares what entered the model
    with the stored frames, which also shows another contrast, swapped colours or frames of other clips.
    """
    seen = seen_ranges(evidence)
    if not seen:
        return None
    numbers = ranges_of("other", seen)
    if not numbers and all(one.kind == "fine" for one in seen):
        numbers = other_frames(evidence.preflight)
    return [finding("data.out_of_range", "error", 0.95, numbers)] if numbers else []


def ranges_of(kind: Kind, seen: list[Seen]) -> tuple[str, ...]:
    """The numbers of all frames whose range is of a kind."""
    return tuple(one.evidence() for one in seen if one.kind == kind)


def leaked(evidence: Evidence) -> list[Finding] | None:
    """Files of equal content, or of the same source video, that the preflight finds on both sides of the split."""
    if evidence.preflight is None:
        return None
    shared, count = evidence.preflight["shared"], evidence.preflight["num_shared"]
    if not count:
        return []
    shown = tuple(f"{one['training']} = {one['validation']}: {one['rule']} (preflight)" for one in shared[:SHOWN_FILES])
    return [finding("data.leak", "error", 0.95, (f"files on both sides of the split = {count} (preflight)", *shown))]


def misaligned(evidence: Evidence) -> list[Finding] | None:
    """Outputs are compared with other frames than their own, in training, in evaluation or in the teacher.

    The evaluation tries shifts of up to four frames, on the run's output and on the reference's round trip. The preflight reads
    the frames that the decoder and reconstruction losses pull towards from their gradients: their shift, and whether they
    are the frames that entered at all.
    """
    pulls = targets(evidence.preflight)
    places = {
        "evaluation": (evidence.evaluation or {}).get("best_frame_shift"),
        # The teacher needs no training to show a shift of the evaluation itself.
        "evaluation of the reference": (evidence.reference or {}).get("best_frame_shift"),
    } | {f"preflight, target of the {name} loss": target["frame_shift"] for name, target in pulls.items()}
    if evidence.preflight is not None:
        places["preflight, round trip of the reference"] = evidence.preflight["reference"]["frame_shift"]
    known = {place: shift for place, shift in places.items() if shift is not None}
    if not known and not pulls:
        return None
    numbers = tuple(f"frame shift = {shift} ({place})" for place, shift in known.items() if shift)
    numbers = numbers or tuple(
        f"sine of the angle between the pull of the {name} loss and the way to its frames = {target['misdirection']:.2f} > "
        f"{limit.MISDIRECTION:g} (preflight)"
        for name, target in pulls.items()
        if target["misdirection"] > limit.MISDIRECTION
    )
    return [finding("frames.misaligned", "error", 0.9, numbers)] if numbers else []


def suspect_reference(evidence: Evidence) -> list[Finding] | None:
    """A teacher that gives other latents than it should, or whose own round trip is poor: nobody learns more than it knows.

    The preflight compares the latents that training gets with those that the reference makes of the same clips now, and
    measures their standard deviation. The round trip's PSNR is compared with a limit; that of the linear reference with the
    8x8 average of the same clips.
    """
    round_trip, latents = poor_round_trip(evidence), strange_latents(evidence)
    if round_trip is None and latents is None:
        return None
    if latents:
        return [finding("reference.suspect", "error", 0.9, latents + (round_trip or ()))]
    return [finding("reference.suspect", "warning", 0.7, round_trip)] if round_trip else []


def strange_latents(evidence: Evidence) -> tuple[str, ...] | None:
    """Numbers of latents that are not the teacher's, or not on the scale that the network can reach."""
    if evidence.preflight is None:
        return None
    reference = evidence.preflight["reference"]
    difference, std = reference["repeat_difference"], reference["latent_std"]
    numbers = []
    if difference > limit.LATENT_DIFFERENCE:
        numbers.append(
            f"RMS(latents in training - latents of the reference now) = {difference:.2f} * std > {limit.LATENT_DIFFERENCE:g} "
            "(preflight)"
        )
    if not limit.LATENT_STD_LOW <= std <= limit.LATENT_STD_HIGH:
        numbers.append(
            f"std of the latents = {std:.3g}, not in [{limit.LATENT_STD_LOW:g}, {limit.LATENT_STD_HIGH:g}] (preflight)"
        )
    return tuple(numbers)


def poor_round_trip(evidence: Evidence) -> tuple[str, ...] | None:
    """Numbers of a round trip that loses too much."""
    source = evidence.settings.get("reference.source")
    required = required_round_trip(source, evidence)
    if evidence.reference is None or required is None:
        return None
    psnr = evidence.reference["psnr"]
    if psnr >= required:
        return ()
    return (f"PSNR of the round trip = {psnr:.2f} dB < {required:.2f} dB (reference {source}, same clips)",)


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
    """The PSNR that loss/reconstruction implies, -10·log10(loss), is far from that of the evaluation."""
    gap = gap_of(evidence)
    if gap is None:
        return None
    if abs(gap.decibels) > limit.GAP_ERROR_DB:
        return [finding("loss.metric_mismatch", "error", 0.9, gap.evidence())]
    # Only in this direction: an evaluation that is better than the training has easier clips or averaged weights.
    if gap.decibels > limit.GAP_WARNING_DB:
        return [finding("loss.metric_mismatch", "warning", 0.6, gap.evidence())]
    return []
