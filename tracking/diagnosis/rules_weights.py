"""Rules about weights that should move: whether the steps are taken, whether they move them, whether they are kept."""

import math

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Finding, Severity
from tracking.diagnosis.rates import rates_of, weight_decay
from tracking.diagnosis.stored import CheckpointFacts
from tracking.diagnosis.texts import finding

#: Half a unit in the last place of a weight w is about |w| / 2 to this power.
HALF_ULP_BITS = {"bfloat16": 8.5, "float16": 11.5}


def frozen(evidence: Evidence) -> list[Finding] | None:
    """The weights move far less than the learning rate moves them, or not at all.

    By the medians of weights/change and weights/expected_change, by the preflight's training on one batch, and by neighbouring
    checkpoints: values equal bit for bit, or (a warning) equal mean and standard deviation where no more is known.
    """
    results = [frozen_in_training(evidence), frozen_in_fit(evidence), frozen_between_checkpoints(evidence)]
    measured = [result for result in results if result is not None]
    if not measured:
        return None
    return next(([result] for result in measured if isinstance(result, Finding)), [])


def frozen_in_training(evidence: Evidence) -> Finding | str | None:
    """By the probes of our own runs; "" when the weights move."""
    change, expected = evidence.later_half("weights/change"), evidence.later_half("weights/expected_change")
    if change is None or expected is None:
        return None
    if expected < limit.FELT_CHANGE or change >= limit.FROZEN_CHANGE_RATIO * expected:
        return ""
    numbers: tuple[str, ...] = (
        f"weights/change = {change:.2g} < {limit.FROZEN_CHANGE_RATIO:g} * {expected:.2g}, which is weights/expected_change "
        "(curves, median of the later half)",
    )
    identical = evidence.later_half("weights/identical_share")
    if identical is not None:
        numbers += (f"weights/identical_share = {identical:.3f} (curve, median of its later half)",)
    return finding("weights.frozen", "error", 0.95, numbers)


def frozen_in_fit(evidence: Evidence) -> Finding | str | None:
    """By the preflight's short training."""
    fit = (evidence.preflight or {}).get("fit")
    if fit is None:
        return None
    if fit["change"] > limit.FROZEN_FIT_CHANGE:
        return ""
    numbers = (
        f"the weights moved by {fit['change']:.2g} of their length in {fit['steps']} steps on one batch (preflight)",
        f"reconstruction loss {fit['first_loss']:.3g} -> {fit['last_loss']:.3g} (preflight)",
    )
    return finding("weights.frozen", "error", 0.95, numbers)


def frozen_between_checkpoints(evidence: Evidence) -> Finding | str | None:
    """By stored weights: compared value by value where there are files, else by mean and standard deviation alone."""
    pairs = [
        (before, after)
        for before, after in zip(evidence.checkpoints, evidence.checkpoints[1:], strict=False)
        if before.step is not None and after.step is not None and after.step > before.step
    ]
    compared = [pair for pair in pairs if pair[1].identical_share is not None or equal_moments(*pair) is not None]
    if not compared:
        return None
    frozen_pairs = [pair for pair in compared if stands_still(*pair)]
    if not frozen_pairs:
        return ""
    before, after = frozen_pairs[0]
    for earlier, later in frozen_pairs[1:]:
        after = later if earlier is after else after  # the whole standstill, not only its first stretch
    expected = expected_drift(before, after, evidence)
    if after.identical_share is not None:
        text = f"{after.identical_share:.2%} of the values are bit for bit equal: {before.name}, {after.name}"
        return finding("weights.frozen", "error", 0.9, (text, *expected))
    text = (
        f"mean = {after.mean}, std = {after.std} at step {before.step} and at step {after.step}: equal to {after.digits} "
        "decimals"
    )
    # Moments hardly see a drift that spreads in all directions; it is the decay that they must show.
    return finding("weights.frozen", "warning", 0.6, (text, *expected))


def stands_still(before: CheckpointFacts, after: CheckpointFacts) -> bool:
    """Whether two neighbours are equal, by their values where these were compared, else by their moments."""
    if after.identical_share is not None:
        return after.identical_share > limit.FROZEN_IDENTICAL_SHARE
    return bool(equal_moments(before, after))


def equal_moments(before: CheckpointFacts, after: CheckpointFacts) -> bool | None:
    """Whether mean and standard deviation agree in all known digits; None when they are not known."""
    if None in (before.mean, before.std, after.mean, after.std) or after.digits is None:
        return None
    return (before.mean, before.std) == (after.mean, after.std)


def expected_drift(before: CheckpointFacts, after: CheckpointFacts, evidence: Evidence) -> tuple[str, ...]:
    """What the learning rate between two checkpoints should have done to the weights; nothing when it is not known."""
    rates = rates_of(evidence)
    if rates is None or not rates.schedule_known or before.step is None or after.step is None:
        return ()
    total, decay = rates.total(before.step, after.step), weight_decay(evidence)
    numbers = [
        f"learning rate at step {before.step} = {rates.at(before.step):.3g}, {rates.at(before.step) / rates.peak:.0%} of the "
        f"peak ({rates.source})",
        f"expected over these {after.step - before.step} steps: shrink by 1 - exp(-{decay:g} * {total:.3g}) = "
        f"{1 - math.exp(-decay * total):.2%} by weight decay alone",
    ]
    if after.std:
        walk = rates.walk(before.step, after.step) / after.std
        numbers.append(f"expected: drift of {walk:.1%} of the std as a random walk, sqrt(sum of squared rates) / std")
    return tuple(numbers)


def low_precision(evidence: Evidence) -> list[Finding] | None:
    """Updates are lost because they are smaller than the spacing of the numbers that hold the weights.

    By the median of weights/below_precision in the later half; else (a warning) by the type of the stored weights, their
    standard deviation and the learning rate.
    """
    measured, rates = evidence.later_half("weights/below_precision"), rates_of(evidence)
    if measured is not None:
        # At next to no rate every update is small: then the schedule is at fault and not the precision.
        if rates is not None and rates.low_share(limit.DECAYED_RATE_SHARE) > limit.DECAYED_STEPS_SHARE:
            return None
        # Float32 is as fine as weights get: what it does not feel is a rate far too low.
        if (evidence.last("weights/bits") or 0) >= limit.FULL_BITS:
            return []
        if measured <= limit.BELOW_PRECISION_SHARE:
            return []
        text = f"weights/below_precision = {measured:.2f} > {limit.BELOW_PRECISION_SHARE:g} (curve, median of its later half)"
        return [finding("weights.low_precision", "error", 0.9, (text,))]
    shares = [fact for fact in map(lambda one: lost_share(one, evidence), evidence.checkpoints) if fact is not None]
    if not shares:
        return None
    share, text = shares[-1]
    if share <= limit.BELOW_PRECISION_SHARE:
        return []
    # Values that do not move between checkpoints as well leave little doubt that they were trained in so few bits.
    stuck = any((one.identical_share or 0) > limit.BELOW_PRECISION_SHARE for one in evidence.checkpoints)
    return [finding("weights.low_precision", "error" if stuck else "warning", 0.8 if stuck else 0.5, (text,))]


def lost_share(checkpoint: CheckpointFacts, evidence: Evidence) -> tuple[float, str] | None:
    """Share of normally distributed weights for which a step as long as the rate is below half a unit in the last place.

    Stored in few bits they may have been trained in more, hence the low confidence.
    """
    rates = rates_of(evidence)
    if checkpoint.dtype is None or rates is None or not checkpoint.std or checkpoint.step is None:
        return None
    if checkpoint.dtype not in HALF_ULP_BITS:
        return 0.0, ""
    rate = rates.at(checkpoint.step)
    share = math.erfc(rate * 2 ** HALF_ULP_BITS[checkpoint.dtype] / checkpoint.std / math.sqrt(2))
    return share, (
        f"{checkpoint.name} holds {checkpoint.dtype}; at std = {checkpoint.std:.3g} a step of {rate:.2g} is below half a unit in "
        f"the last place for {share:.0%} of the values"
    )


def skipped_steps(evidence: Evidence) -> list[Finding] | None:
    """The curve steps/skipped: the share of all steps that the optimizer's own counter lacks."""
    skipped = evidence.last("steps/skipped")
    if skipped is None:
        return None
    if skipped <= limit.SKIPPED_SHARE:
        return []
    text = f"steps/skipped = {skipped:.1%} > {limit.SKIPPED_SHARE:.0%} ({evidence.origin('steps/skipped')})"
    severity: Severity = "error" if skipped > limit.SKIPPED_SHARE_ERROR else "warning"
    return [finding("steps.skipped", severity, 0.9, (text,))]
