"""Rules about what comes out."""

import statistics
from itertools import pairwise

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Finding, Severity
from tracking.diagnosis.texts import finding

#: Baselines that know at most one colour a frame, and the one that knows the blurred picture.
CONSTANT_BASELINES = ("black", "grey", "mean_colour")
BLURRED_BASELINE = "average_8x8"


def collapsed_output(evidence: Evidence) -> list[Finding] | None:
    """The standard deviation of the evaluation's output over that of the frames; a warning only after few steps."""
    output, target = ((evidence.evaluation or {}).get(name) for name in ("output_std", "target_std"))
    if output is None or not target:
        return None
    ratio = output / target
    if ratio >= limit.COLLAPSED_STD_RATIO:
        return []
    numbers = (
        f"output_std / target_std = {output:.3g} / {target:.3g} = {ratio:.2f} < {limit.COLLAPSED_STD_RATIO:g} (evaluation)",
    )
    short = few_steps(evidence)
    return [finding("output.collapsed", "warning" if short else "error", 0.9, numbers + short)]


def saturated_output(evidence: Evidence) -> list[Finding] | None:
    """Share of the output at or outside 0 and 1: the evaluation's before clamping, or the curve output/saturated_share.

    Nearly all of it means a dead output, which is an error.
    """
    places = {
        "evaluation, before clamping": (evidence.evaluation or {}).get("saturated_share"),
        evidence.origin("output/saturated_share"): evidence.last("output/saturated_share"),
    }
    known = {place: share for place, share in places.items() if share is not None}
    if not known:
        return None
    place, share = max(known.items(), key=lambda item: item[1])
    if share <= limit.SATURATED_SHARE:
        return []
    numbers = (f"saturated share of the output = {share:.2f} > {limit.SATURATED_SHARE:g} ({place})",)
    if share > limit.DEAD_SHARE:
        return [finding("output.saturated", "error", 0.9, numbers)]
    # Clips with black bars have much at the bound by right.
    return [finding("output.saturated", "warning", 0.6, numbers)]


def below_trivial(evidence: Evidence) -> list[Finding] | None:
    """On the same clips a black, grey or mean-colour frame has the higher PSNR, or (a remark only) the 8x8 average has."""
    own = (evidence.evaluation or {}).get("psnr")
    if own is None or not evidence.baselines:
        return None
    constant = {name: evidence.baselines[name]["psnr"] for name in CONSTANT_BASELINES if name in evidence.baselines}
    best = max(constant, key=lambda name: constant[name], default=None)
    if best is not None and own < constant[best]:
        numbers = (f"val/psnr = {own:.2f} dB < {constant[best]:.2f} dB of {best} (evaluation, same clips)",)
        short = few_steps(evidence)
        severity: Severity = "warning" if short else "error"
        return [finding("score.below_trivial", severity, 0.95, numbers + short)]
    blurred = evidence.baselines.get(BLURRED_BASELINE)
    if blurred is not None and own < blurred["psnr"]:
        numbers = (
            f"val/psnr = {own:.2f} dB < {blurred['psnr']:.2f} dB of {BLURRED_BASELINE} (evaluation, same clips)",
        )
        return [finding("score.below_trivial", "info", 0.95, numbers)]
    return []


def overfitted(evidence: Evidence) -> list[Finding] | None:
    """The last evaluations' val/psnr falls one after the other, below the best one by much, while train/psnr still rises.

    train/psnr by the medians of its points between two evaluations: those before the best one and those before the last.
    """
    scored = evidence.points("val/psnr")
    if len(scored) <= limit.OVERFITTED_EVALUATIONS:
        return None
    (step, top), (end, low) = max(scored, key=lambda point: point[1]), scored[-1]
    before, after = training_psnr(evidence, step), training_psnr(evidence, end)
    if before is None or after is None:
        return None
    tail = [value for _, value in scored[-limit.OVERFITTED_EVALUATIONS - 1 :]]
    falls = all(one > other for one, other in pairwise(tail))
    if not falls or top - low <= limit.OVERFITTED_FALL_DB or after - before <= limit.OVERFITTED_GAIN_DB:
        return []
    numbers = (
        f"val/psnr = {top:.2f} dB at step {step}, {low:.2f} dB at step {end}: "
        f"{top - low:.2f} dB lost > {limit.OVERFITTED_FALL_DB:g} dB (curve)",
        f"train/psnr = {before:.2f} dB by step {step}, {after:.2f} dB by step {end}: "
        f"{after - before:.2f} dB gained > {limit.OVERFITTED_GAIN_DB:g} dB (curve, medians)",
    )
    return [finding("score.overfitted", "warning", 0.8, numbers)]


def training_psnr(evidence: Evidence, end: int) -> float | None:
    """The median of train/psnr after the evaluation before step `end`, up to that step."""
    start = max((step for step, _ in evidence.points("val/psnr") if step < end), default=0)
    values = [value for step, value in evidence.points("train/psnr") if start < step <= end]
    return statistics.median(values) if values else None


def few_steps(evidence: Evidence) -> tuple[str, ...]:
    """The number of steps where they are too few to blame anything else; nothing where they are enough, or unknown."""
    # A study has no curves of its own; its settings hold the steps of a trial.
    steps = int(evidence.settings.get("training.steps", 0)) if evidence.study else evidence.last_step()
    return (
        (f"steps = {steps} < {limit.SHORT_STEPS}: so few may be the whole cause (curves)",)
        if 0 < steps < limit.SHORT_STEPS
        else ()
    )
