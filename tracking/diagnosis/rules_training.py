"""Rules about what moves the weights: losses, critic, schedule, gradient."""

import math

from tracking.diagnosis import thresholds as limit
from tracking.diagnosis.evidence import LOSSES, Evidence
from tracking.diagnosis.findings import Finding, Severity
from tracking.diagnosis.rates import rates_of
from tracking.diagnosis.texts import finding

#: A share of fewer points of a learning rate's curve says nothing.
MIN_RATE_POINTS = 5


def inert_losses(evidence: Evidence) -> list[Finding] | None:
    """A loss with a weight that raises, is not computed or has no gradient in the preflight, or has no effect in the curves.

    In the curves: loss/NAME has no point though other losses have, or gradient_share/NAME never reaches the limit.
    """
    active = {name: weight for name, weight in evidence.weights().items() if weight > 0}
    logged = any(metric.startswith("loss/") for metric in evidence.curves)
    if not active or (not logged and evidence.preflight is None):
        return None
    findings = []
    for name, weight in active.items():
        numbers = dead_in_preflight(name, evidence) + (dead_in_curves(name, evidence) if logged else ())
        if numbers:
            setting = f"losses.{name} = {weight:g} ({evidence.origin(f'losses.{name}')})"
            findings.append(finding("loss.inert", "error", 0.95, (*numbers, setting), name))
    return findings


def dead_in_preflight(name: str, evidence: Evidence) -> tuple[str, ...]:
    """Numbers of a loss that could not be computed, or that pulls at nothing, on the first batch."""
    loss = ((evidence.preflight or {}).get("losses") or {}).get(name)
    if (
        loss is None or loss["weight"] == 0
    ):  # the weight of a trial may be 0 where the preflight's was not, and the reverse
        return ()
    if loss["error"] is not None:
        return (f"computing the loss raises {loss['error']} (preflight)",)
    if loss["value"] is None:
        return ("the loss was not computed (preflight)",)
    gradient = loss["gradient_norm"]
    if gradient is None or not math.isfinite(gradient) or gradient == 0:
        return (f"gradient norm of the loss = {gradient} (preflight)",)
    return ()


def dead_in_curves(name: str, evidence: Evidence) -> tuple[str, ...]:
    """Numbers of a loss that was never logged, or never had a share of the gradient."""
    if not evidence.curves.get(f"loss/{name}"):
        return (f"loss/{name} was never logged: 0 points (curves)",)
    shares = evidence.values(f"gradient_share/{name}")
    # Where no loss has a share, the network itself is dead: that is gradient.vanishing, and no single loss is to blame.
    others = [value for other in LOSSES for value in evidence.values(f"gradient_share/{other}")]
    if shares and max(shares) < limit.INERT_GRADIENT_SHARE <= max(others):
        return (f"gradient_share/{name} <= {max(shares):.2g} ({len(shares)} points of the curve)",)
    return ()


def dominating_loss(evidence: Evidence) -> list[Finding] | None:
    """One of several losses gives nearly the whole gradient, or, where gradients were not measured, nearly the whole sum.

    By the medians of gradient_share/NAME in the later half of the run, or of share/NAME (weight times loss over the total).
    """
    active = [name for name, weight in evidence.weights().items() if weight > 0]
    by_gradient = {name: evidence.later_half(f"gradient_share/{name}") for name in active}
    # The Seraena loss is 1 by construction whatever it does, so its share of the sum says nothing (docs/facts.md 7).
    by_value = {name: share_of_value(name, evidence) for name in active if name != "seraena"}
    source, shares, confidence = "gradient_share", by_gradient, 0.8
    if all(share is None for share in shares.values()):
        source, shares, confidence = "share", by_value, 0.6
    if all(share is None for share in shares.values()) or evidence.last_step() < limit.DOMINANT_STEPS:
        return None
    findings = []
    for name, share in shares.items():
        if len(active) > 1 and share is not None and share > limit.DOMINANT_SHARE:
            numbers = (f"{source}/{name} = {share:.3f} > {limit.DOMINANT_SHARE:g} (curve, median of its later half)",)
            if f"{source}/{name}" not in evidence.curves:
                numbers = (
                    f"losses.{name} * loss/{name} / loss/total = {share:.3f} > {limit.DOMINANT_SHARE:g} (curves)",
                )
            # The scores measure the reconstruction, so its dominance costs the other losses only.
            severity: Severity = "info" if name == "reconstruction" else "warning"
            findings.append(finding("loss.dominates", severity, confidence, numbers, name))
    return findings


def share_of_value(name: str, evidence: Evidence) -> float | None:
    """A loss's weighted share of the sum, computed from the logged losses where the share itself was not logged."""
    logged = evidence.later_half(f"share/{name}")
    value, total = evidence.last(f"loss/{name}"), evidence.last("loss/total")
    if logged is not None or value is None or not total:
        return logged
    return evidence.weights()[name] * value / total


def inactive_critic(evidence: Evidence) -> list[Finding] | None:
    """Seraena has a weight, but its critic corrects nothing, knows everything or sees nothing.

    By the medians of critic/correction_rms and critic/loss in the later half of the run: a small correction, a loss near 0, a
    loss near that of answering 0 to everything.
    """
    weight = evidence.weights().get("seraena")
    if weight is None:
        return None
    if weight == 0:
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
    blind = limit.CRITIC_LOSS_BLIND if evidence.last_step() > limit.CRITIC_SLOW_STEPS else limit.CRITIC_LOSS_FRESH
    if loss is not None and loss > blind:
        numbers.append(f"critic/loss = {loss:.3g} > {blind:g} (curve, later half)")
    return [finding("seraena.inactive", "warning", 0.7, tuple(numbers))] if numbers else []


def long_warmup(evidence: Evidence) -> list[Finding] | None:
    """The setting schedule.warmup_share, except for the kind "constant", which has no warm-up."""
    kind, share = evidence.settings.get("schedule.kind"), evidence.settings.get("schedule.warmup_share")
    if kind is None or share is None:
        return None
    if kind == "constant" or share <= limit.WARMUP_SHARE:
        return []
    numbers = (
        f"schedule.warmup_share = {share:g} > {limit.WARMUP_SHARE:g} ({evidence.origin('schedule.warmup_share')})",
    )
    return [finding("schedule.warmup_too_long", "warning", 0.8, numbers)]


def early_decay(evidence: Evidence) -> list[Finding] | None:
    """Too many steps after the peak are taken with next to no learning rate.

    By the curve learning_rate, or where it was not logged by the formula of the schedule.
    """
    rates = rates_of(evidence)
    points = len(evidence.values("learning_rate"))
    if rates is None or not rates.schedule_known or 0 < points < MIN_RATE_POINTS:
        return None
    share = rates.low_share(limit.DECAYED_RATE_SHARE)
    if share <= limit.DECAYED_STEPS_SHARE:
        return []
    numbers = (
        f"learning rate < {limit.DECAYED_RATE_SHARE:g} * {rates.peak:.3g} in {share:.0%} of the steps ({rates.source})",
    )
    return [finding("schedule.decayed_early", "warning", 0.8, numbers)]


def clipped_gradient(evidence: Evidence) -> list[Finding] | None:
    """The mean of gradient/clipped is near 1 and the median of gradient/norm far above optimizer.max_gradient_norm.

    An error where most of Adam's second moments (adam/starved_share) are below its epsilon as well.
    """
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
    starved = evidence.later_half("adam/starved_share")
    if starved is not None and starved > limit.STARVED_SHARE:
        # Adam forgives a small gradient down to its epsilon, and not below.
        return [finding("gradient.always_clipped", "error", 0.8, (*numbers, starved_text(starved)))]
    return [finding("gradient.always_clipped", "warning", 0.7, numbers)]


def starved_text(share: float) -> str:
    """The number with its meaning."""
    return f"adam/starved_share = {share:.2f} > {limit.STARVED_SHARE:g}: root of the second moment below 10 * epsilon (curve)"


def vanishing_gradient(evidence: Evidence) -> list[Finding] | None:
    """gradient/norm or Adam's second moment is next to nothing, or a short fit moves the weights and learns nothing.

    By the medians of gradient/norm and adam/starved_share in the later half of the run, and by the preflight's training on one
    batch, whose loss must fall.
    """
    norm, starved = evidence.later_half("gradient/norm"), evidence.later_half("adam/starved_share")
    if norm is None and starved is None and evidence.preflight is None:
        return None
    numbers = list(fit_that_learns_nothing(evidence))
    if norm is not None and norm < limit.VANISHING_NORM:
        numbers.append(f"gradient/norm = {norm:.2g} < {limit.VANISHING_NORM:g} (curve, median of its later half)")
    if starved is not None and starved > limit.STARVED_SHARE:
        numbers.append(starved_text(starved))
    return [finding("gradient.vanishing", "error", 0.9, tuple(numbers))] if numbers else []


def fit_that_learns_nothing(evidence: Evidence) -> tuple[str, ...]:
    """Numbers of a network whose weights move, but that does not even learn one batch by heart."""
    preflight = evidence.preflight or {}
    fit = preflight.get("fit")
    if fit is None or fit["change"] <= limit.FROZEN_FIT_CHANGE:
        return ()
    if preflight["start"] is not None:  # a trained network may have nothing left to learn in so few steps
        return ()
    if fit["last_loss"] < limit.FIT_LOSS_RATIO * fit["first_loss"]:
        return ()
    return (
        f"reconstruction loss {fit['first_loss']:.3g} -> {fit['last_loss']:.3g} in {fit['steps']} steps on one batch (preflight)",
    )
