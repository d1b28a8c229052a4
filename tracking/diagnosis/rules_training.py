"""Rules about what moves the weights: losses, critic, schedule, gradient."""

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Finding, Severity
from tracking.diagnosis.texts import finding


def inert_losses(evidence: Evidence) -> list[Finding] | None:
    """A loss with a weight that was never computed, or whose gradient moves nothing."""
    active = {name: weight for name, weight in evidence.weights().items() if weight > 0}
    if not active or not any(metric.startswith("loss/") for metric in evidence.curves):
        return None
    findings = []
    for name, weight in active.items():
        shares = evidence.values(f"gradient_share/{name}")
        if not evidence.curves.get(f"loss/{name}"):
            numbers = (f"losses.{name} = {weight:g} (settings)", f"loss/{name}: 0 points (curves)")
            findings.append(finding("loss.inert", "error", 0.95, numbers, name))
        elif shares and max(shares) < limit.INERT_GRADIENT_SHARE:
            numbers = (
                f"losses.{name} = {weight:g} (settings)",
                f"gradient_share/{name} <= {max(shares):.2g} ({len(shares)} points of the curve)",
            )
            findings.append(finding("loss.inert", "error", 0.9, numbers, name))
    return findings


def dominating_loss(evidence: Evidence) -> list[Finding] | None:
    """One of several losses gives nearly the whole gradient, or, where gradients were not measured, nearly the whole sum."""
    active = [name for name, weight in evidence.weights().items() if weight > 0]
    by_gradient = {name: evidence.later_half(f"gradient_share/{name}") for name in active}
    by_value = {name: evidence.later_half(f"share/{name}") for name in active if name != "seraena"}
    # The Seraena loss is 1 by construction whatever it does, so its share of the sum says nothing (docs/facts.md 7).
    source, shares, confidence = "gradient_share", by_gradient, 0.8
    if all(share is None for share in shares.values()):
        source, shares, confidence = "share", by_value, 0.6
    if all(share is None for share in shares.values()) or evidence.last_step() < limit.DOMINANT_STEPS:
        return None
    findings = []
    for name, share in shares.items():
        if len(active) > 1 and share is not None and share > limit.DOMINANT_SHARE:
            numbers = (f"{source}/{name} = {share:.3f} > {limit.DOMINANT_SHARE:g} (curve, median of its later half)",)
            # The scores measure the reconstruction, so its dominance costs the other losses only.
            severity: Severity = "info" if name == "reconstruction" else "warning"
            findings.append(finding("loss.dominates", severity, confidence, numbers, name))
    return findings


def inactive_critic(evidence: Evidence) -> list[Finding] | None:
    """Seraena has a weight, but its critic corrects nothing, knows everything or sees nothing."""
    if evidence.weights().get("seraena", 0) == 0:
        return []
    if evidence.last_step() <= limit.CRITIC_WARMUP_STEPS:
        return None
    correction, loss = evidence.later_half("critic/correction_rms"), evidence.later_half("critic/loss")
    if correction is None and loss is None:
        return None
    numbers = []
    if correction is not None and correction < limit.CORRECTION_RMS:
        numbers.append(f"critic/correction_rms = {correction:.3g} < {limit.CORRECTION_RMS:g} (curve, later half)")
    if loss is not None and loss < limit.CRITIC_LOSS_WON:
        numbers.append(f"critic/loss = {loss:.3g} < {limit.CRITIC_LOSS_WON:g} (curve, later half)")
    if loss is not None and loss > limit.CRITIC_LOSS_BLIND:
        numbers.append(f"critic/loss = {loss:.3g} > {limit.CRITIC_LOSS_BLIND:g} (curve, later half)")
    return [finding("seraena.inactive", "warning", 0.7, tuple(numbers))] if numbers else []


def long_warmup(evidence: Evidence) -> list[Finding] | None:
    """So much of the run is warm-up that the peak rate is hardly used."""
    kind, share = evidence.settings.get("schedule.kind"), evidence.settings.get("schedule.warmup_share")
    if kind is None or share is None:
        return None
    if kind == "constant" or share <= limit.WARMUP_SHARE:
        return []
    numbers = (f"schedule.warmup_share = {share:g} > {limit.WARMUP_SHARE:g} (settings)",)
    return [finding("schedule.warmup_too_long", "warning", 0.8, numbers)]


def early_decay(evidence: Evidence) -> list[Finding] | None:
    """Too many steps after the peak are taken with next to no learning rate."""
    rates = evidence.values("learning_rate")
    if len(rates) < 5:  # a share of fewer points says nothing
        return None
    peak = max(rates)
    after = rates[rates.index(peak) :]
    share = sum(rate < limit.DECAYED_RATE_SHARE * peak for rate in after) / len(rates)
    if share <= limit.DECAYED_STEPS_SHARE:
        return []
    numbers = (
        f"learning_rate < {limit.DECAYED_RATE_SHARE:g} * {peak:.3g} in {share:.0%} of the steps (curve, {len(rates)} points)",
    )
    return [finding("schedule.decayed_early", "warning", 0.8, numbers)]


def clipped_gradient(evidence: Evidence) -> list[Finding] | None:
    """Nearly every step is cut, and by much: the length of a step no longer depends on the gradient."""
    clipped, norm = evidence.values("gradient/clipped"), evidence.last("gradient/norm")
    allowed = evidence.settings.get("optimizer.max_gradient_norm")
    if not clipped or norm is None or allowed is None:
        return None
    share = sum(clipped) / len(clipped)
    if allowed == 0 or share <= limit.CLIPPED_SHARE or norm <= limit.CLIPPED_NORM_RATIO * allowed:
        return []
    numbers = (
        f"gradient/clipped = {share:.0%} of the steps (curve, mean)",
        f"gradient/norm = {norm:.3g} = {norm / allowed:.1f} * optimizer.max_gradient_norm (curve, median of the last points)",
    )
    return [finding("gradient.always_clipped", "warning", 0.7, numbers)]


def vanishing_gradient(evidence: Evidence) -> list[Finding] | None:
    """The gradient is next to nothing."""
    norm = evidence.later_half("gradient/norm")
    if norm is None:
        return None
    if norm >= limit.VANISHING_NORM:
        return []
    numbers = (f"gradient/norm = {norm:.2g} < {limit.VANISHING_NORM:g} (curve, median of its later half)",)
    return [finding("gradient.vanishing", "error", 0.9, numbers)]
