"""The words of a diagnosis in English. {subject} in a remedy is what the finding is about, such as a loss."""

#: What each code means, and what to do about it.
FINDINGS: dict[str, tuple[str, str]] = {
    "data.out_of_range": (
        "The frames that enter the model are not in [0, 1]",
        "Scale frames to [0, 1] in one place, by dividing uint8 by 255, and remove any other scaling; then train again.",
    ),
    "data.double_normalised": (
        "The frames were divided by 255 twice in training",
        "Remove the second division by 255 and train again; weights and learning rate are not to blame before that.",
    ),
    "data.signed_range": (
        "The frames are in [-1, 1] where the model wants [0, 1]",
        "Remove the scaling to [-1, 1] before the model; only LPIPS scales so, and does it itself.",
    ),
    "data.leak": (
        "Validation clips come from videos that were trained on",
        "Split by source video and evaluate again; scores of leaked clips say nothing.",
    ),
    "frames.misaligned": (
        "The output fits other frames than its own",
        "Compare output frame i with input frame i: the first frames as they come, never the last ones of the clip.",
    ),
    "reference.suspect": (
        "The reference VAE's own round trip is poor",
        "Check the reference's weights, its scaling of latents and the frame range; what it cannot show, nobody learns from it.",
    ),
    "weights.not_loaded": (
        "The starting weights were not all loaded",
        "Load strictly and fix the network settings until every key fits.",
    ),
    "weights.frozen": (
        "The weights hardly change between checkpoints",
        "Check that the optimizer holds the trained parameters and that the saved copy is the live one.",
    ),
    "weights.final_is_initial": (
        "The final weights are the initial ones",
        "Check that the trained model is the one that is saved.",
    ),
    "weights.low_precision": (
        "Updates are smaller than the weights' precision",
        "Keep the weights in float32 and use bfloat16 for the computation only.",
    ),
    "steps.skipped": (
        "Many steps were skipped",
        "Look for non-finite losses and damaged clips; lower the learning rate.",
    ),
    "loss.inert": (
        "A loss has a weight but no effect",
        "Find out why the {subject} loss is not computed or has no gradient, or set losses.{subject} = 0.",
    ),
    "loss.metric_mismatch": (
        "The training loss and the evaluation tell different stories",
        "Compare what enters the model and the loss in training and in evaluation: range, frames, clips, weights.",
    ),
    "gradient.vanishing": (
        "The gradient is next to nothing",
        "Check the range of the frames, that outputs are not clamped before the loss, and the initial bias of the output.",
    ),
    "schedule.warmup_too_long": (
        "Too much of the run is warm-up",
        "Set schedule.warmup_share to 0.05.",
    ),
    "schedule.decayed_early": (
        "The learning rate is near zero for a large part of the run",
        "Stretch the schedule over the run's own number of steps, or take another schedule.kind.",
    ),
    "loss.dominates": (
        "One loss decides nearly alone",
        "Lower losses.{subject} or raise the others until each has a share of the gradient.",
    ),
    "seraena.inactive": (
        "The Seraena critic gives no useful correction",
        "Give the critic more steps or smaller crops, check losses.critic_learning_rate, or set losses.seraena = 0.",
    ),
    "gradient.always_clipped": (
        "Nearly every step's gradient is clipped, by much",
        "Scale the loss weights down together, or raise optimizer.max_gradient_norm.",
    ),
    "output.collapsed": (
        "The output hardly varies",
        "After few steps: train longer or raise optimizer.learning_rate. After many: check that outputs are not clamped before "
        "the loss and that the last bias starts at 0.5.",
    ),
    "output.saturated": (
        "Much of the output is at or outside the bounds 0 and 1",
        "Train on unclamped outputs and lower the learning rate; clips with black bars show this by right.",
    ),
    "score.below_trivial": (
        "A trivial output scores better on the same clips",
        "Where the run is short, train longer first; a long one has another fault: look at its pictures, rate and losses.",
    ),
    "search.edge_of_space": (
        "The best settings lie at the edge of the search space",
        "Widen [search.space] at that edge and search again.",
    ),
    "search.noise_floor": (
        "The best trials differ by less than the noise between seeds",
        "Confirm them over more seeds before choosing one.",
    ),
}

WORDS = {
    "heading": "Diagnosis",
    "ok": "Verdict: ok. None of the measured faults was found.",
    "warning": "Verdict: warning.",
    "error": "Verdict: error.",
    "failure": "The run broke off",
    "severity.error": "error",
    "severity.warning": "warning",
    "severity.info": "remark",
    "confidence": "confidence",
    "evidence": "Evidence",
    "remedy": "What to do",
    "consequences": "Explained by it",
    "not_measured": "Not measured, so not known to be fine",
    "nothing": "nothing",
}
