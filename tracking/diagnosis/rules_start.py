"""Rules about where training begins and ends: its memory, its starting weights, whether what is stored was trained."""

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Finding, Severity
from tracking.diagnosis.rates import rates_of, weight_decay
from tracking.diagnosis.stored import CheckpointFacts
from tracking.diagnosis.texts import finding


def exhausted_memory(evidence: Evidence) -> list[Finding] | None:
    """Training ran out of memory; halves of its batch size were tried on the same device until one trained."""
    shortage = evidence.shortage
    if shortage is None:
        return None if evidence.evaluation is None else []
    size, fitting = shortage["batch_size"], shortage["fitting"]
    limit_mib, peak_mib = shortage["limit_mib"], shortage["peak_mib"]
    if limit_mib is None:
        needed = f"training.batch_size = {size} needs more memory than there is (training)"
    else:
        needed = f"training.batch_size = {size} needs more memory than the {limit_mib:.0f} MiB of the device (training)"
    if fitting is None:
        fits = f"no half of {size} fits, down to 1 (tried)"
    elif peak_mib is None:
        fits = f"training.batch_size = {fitting} fits (tried)"
    else:
        fits = f"training.batch_size = {fitting} fits, with {peak_mib:.0f} MiB at most (tried)"
    return [finding("memory.exhausted", "error", 0.95, (needed, fits))]


def not_loaded(evidence: Evidence) -> list[Finding] | None:
    """Training did not begin with the weights that the settings name.

    The preflight compares the starting weights with the file; checkpoints must hold every tensor of the file in its shape, and
    be no further from it than the sum of the learning rates reaches.
    """
    start = (evidence.preflight or {}).get("start")
    missing = [checkpoint for checkpoint in evidence.checkpoints if checkpoint.not_loaded]
    far = [fact for fact in map(lambda one: beyond_reach(one, evidence), evidence.checkpoints) if fact]
    if evidence.preflight is None and not any(one.change_from_start is not None for one in evidence.checkpoints):
        return None if not missing else [finding("weights.not_loaded", "error", 0.9, keys_of(missing))]
    numbers = keys_of(missing)
    if start is not None and start["difference"] > 0:
        numbers += (
            f"L2(start - file) / L2(file) = {start['difference']:.3g}, {start['differing_tensors']} of {start['tensors']} "
            f"tensors differ from {start['file']} (preflight)",
        )
    if numbers:
        return [finding("weights.not_loaded", "error", 0.95, numbers)]
    return [finding("weights.not_loaded", "error", 0.8, tuple(far[:1]))] if far else []


def keys_of(checkpoints: list[CheckpointFacts]) -> tuple[str, ...]:
    """Which of the starting weights' tensors do not fit the network."""
    if not checkpoints:
        return ()
    first = checkpoints[0]
    return (
        f"{len(first.not_loaded)} tensors of the starting weights do not fit: {first.not_loaded[0]} ({first.name})",
    )


def beyond_reach(checkpoint: CheckpointFacts, evidence: Evidence) -> str | None:
    """Numbers of weights further from the start than steps of this size could take them."""
    rates = rates_of(evidence)
    if rates is None or not checkpoint.std or checkpoint.change_from_start is None or not checkpoint.step:
        return None
    # A step of Adam moves a weight by about the rate at most; all in one direction they move it by their sum.
    reach = rates.total(0, checkpoint.step) * (1 / checkpoint.std + weight_decay(evidence))
    if checkpoint.change_from_start <= max(limit.REACH_MARGIN * reach, limit.UNRELATED_CHANGE):
        return None
    return (
        f"L2(weights - start) / L2(start) = {checkpoint.change_from_start:.3g} at step {checkpoint.step} ({checkpoint.name}); "
        f"the rates up to there reach {reach:.3g} at most ({rates.source})"
    )


def final_is_initial(evidence: Evidence) -> list[Finding] | None:
    """L2 distance of the averaged weights (average/change), or of the last checkpoint, from the start, relative to the start."""
    average = evidence.last("average/change")
    stored = [one for one in evidence.checkpoints if one.change_from_start is not None]
    if average is None and not stored:
        return None
    if average is not None and average < limit.INITIAL_CHANGE:
        text = f"average/change = {average:.2g} < {limit.INITIAL_CHANGE:g}: the stored weights less the starting ones (curve)"
        return [finding("weights.final_is_initial", "error", 0.95, (text,))]
    if stored and stored[-1].change_from_start is not None:
        change = stored[-1].change_from_start
        if change < limit.INITIAL_CHANGE_WARNING:
            certain = change < limit.INITIAL_CHANGE
            text = f"L2({stored[-1].name} - start) / L2(start) = {change:.2g} < {limit.INITIAL_CHANGE_WARNING:g}"
            severity: Severity = "error" if certain else "warning"
            return [finding("weights.final_is_initial", severity, 0.95 if certain else 0.6, (text,))]
    return []
