"""All rules: pure functions from evidence to findings, or to None where the evidence does not suffice."""

from collections.abc import Callable

from tracking.diagnosis import rules_data, rules_output, rules_start, rules_study, rules_training, rules_weights
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.findings import Finding

Rule = Callable[[Evidence], list[Finding] | None]

#: The rule of each code, in the order of causes (findings.CODES).
RULES: dict[str, Rule] = {
    "data.out_of_range": rules_data.out_of_range,
    "data.double_normalised": rules_data.double_normalised,
    "data.signed_range": rules_data.signed_range,
    "data.leak": rules_data.leaked,
    "frames.misaligned": rules_data.misaligned,
    "reference.suspect": rules_data.suspect_reference,
    "weights.not_loaded": rules_start.not_loaded,
    "memory.exhausted": rules_start.exhausted_memory,
    "steps.skipped": rules_weights.skipped_steps,
    "loss.inert": rules_training.inert_losses,
    "gradient.vanishing": rules_training.vanishing_gradient,
    "weights.low_precision": rules_weights.low_precision,
    "weights.frozen": rules_weights.frozen,
    "weights.final_is_initial": rules_start.final_is_initial,
    "score.overfitted": rules_output.overfitted,
    "loss.metric_mismatch": rules_data.metric_mismatch,
    "schedule.warmup_too_long": rules_training.long_warmup,
    "schedule.decayed_early": rules_training.early_decay,
    "loss.dominates": rules_training.dominating_loss,
    "seraena.inactive": rules_training.inactive_critic,
    "gradient.always_clipped": rules_training.clipped_gradient,
    "output.collapsed": rules_output.collapsed_output,
    "output.saturated": rules_output.saturated_output,
    "score.below_trivial": rules_output.below_trivial,
    "search.edge_of_space": rules_study.edge_of_space,
    "search.noise_floor": rules_study.noise_floor,
}
