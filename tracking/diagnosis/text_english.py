"""The words of a diagnosis in English. {subject} in a remedy is what the finding is about, such as a loss."""

#: What each code means, and what to do about it.
FINDINGS: dict[str, tuple[str, str]] = {
    "data.out_of_range": (
        "The frames that enter the model are not in [0, 1], or not the stored ones",
        "Divide uint8 frames by 255 in one place that training and evaluation share, and remove every other scaling, "
        "normalisation, change of contrast or exchange of colours before the model; then train again. Where the evidence is an "
        "RMS only, look between the bank and the model: clips or frames that are left out, repeated, masked or made noisy.",
    ),
    "data.double_normalised": (
        "Frames are divided by 255 twice",
        "Remove the second division by 255: at the place that the evidence names, or in the training code where it shows a gap "
        "only. Then train again; loss weights and learning rate are not to blame before that.",
    ),
    "data.signed_range": (
        "The frames are in [-1, 1] where the model wants [0, 1]",
        "Remove the scaling to [-1, 1] before the model (LPIPS alone wants it: scale at its call). Where the evidence shows a "
        "gap only, this is a guess: log minimum and maximum of the model's input first.",
    ),
    "data.leak": (
        "Validation clips come from videos that were trained on",
        "Remove copies of files and split by source video: the first group of data.source_pattern must name the video that a "
        "clip was cut from. Then train again; scores of leaked clips say nothing.",
    ),
    "frames.misaligned": (
        "The output fits other frames than its own",
        "Compare output frame i with input frame i at the place that the evidence names, in losses as in the evaluation: cut "
        "neither side at its start, and give clips of 8k+1 frames (data.frames).",
    ),
    "reference.suspect": (
        "The reference VAE is not what it should be: its latents or its own round trip",
        "Check the weights in reference.source, their scaling of the latents (a standard deviation near 1) and their frame "
        "range. Where the latents in training are not those that it gives now, empty data.cache_dir, and let it give means, "
        "not samples.",
    ),
    "weights.not_loaded": (
        "Training did not begin with the given weights",
        "Load them strictly, with no key left out, and set network.variant and network.width as in the file of network.weights; "
        "then train again.",
    ),
    "memory.exhausted": (
        "Training ran out of memory",
        "Set training.batch_size to the one that the evidence says fits, and end other programs on the device. Where none fits, "
        "lower data.crop_px or network.width, or take a larger device.",
    ),
    "weights.frozen": (
        "The weights hardly change",
        "Check that the optimizer holds the trained parameters and steps, that optimizer.learning_rate is above 0, and that "
        "what is saved is the model in training and not a copy of it.",
    ),
    "weights.final_is_initial": (
        "The final weights are the initial ones",
        "Check that what is saved is the model in training or its average, and that the average follows in every step "
        "(training.average_share).",
    ),
    "weights.low_precision": (
        "Updates are smaller than the weights' precision",
        'Keep the weights in float32 and use bfloat16 for the computation only (autocast; here training.precision = "bfloat16").',
    ),
    "steps.skipped": (
        "Steps were skipped",
        "Find out why the optimizer did not step: losses that are not finite, an overflowing gradient scaler, damaged clips, "
        "exceptions that are caught. Where losses overflow, lower optimizer.learning_rate.",
    ),
    "loss.inert": (
        "A loss has a weight but no effect",
        "Find out why the {subject} loss is never computed or has no gradient (a setting that nobody reads, an exception that is "
        "caught, a detached tensor), or set losses.{subject} = 0. Where it is only logged under another name, add that to "
        "[diagnosis.tags].",
    ),
    "loss.metric_mismatch": (
        "The training loss and the evaluation tell different stories",
        "Compare what enters the model and the loss in training and in evaluation: range, frames, clips, weights. "
        "loss/reconstruction must be the mean squared error of frames in [0, 1], without its weight. Where all that is right, "
        "the training clips are too few and learned by heart: raise data.training_clips or add videos.",
    ),
    "gradient.vanishing": (
        "The gradient is next to nothing, or nothing is learned from it",
        "Check the range of the frames, that outputs are not clamped before the loss, that the last bias starts at 0.5, and that "
        "loss weights and optimizer.max_gradient_norm do not scale the gradient down to Adam's epsilon. A gradient that vanished "
        "only on the way was killed by too high a rate: lower optimizer.learning_rate.",
    ),
    "schedule.warmup_too_long": (
        "Too much of the run is warm-up",
        "Set schedule.warmup_share to 0.05; warm-up steps that were chosen for a longer run do not fit a shorter one.",
    ),
    "schedule.decayed_early": (
        "The learning rate is near zero for a large part of the run",
        "Stretch the schedule over all steps of this run, advance it once per step of the optimizer, or take another "
        "schedule.kind.",
    ),
    "loss.dominates": (
        "One loss decides nearly alone",
        "Lower losses.{subject} or raise the other weights until each has a share of the gradient.",
    ),
    "seraena.inactive": (
        "The Seraena critic gives no useful correction",
        "Give the critic more steps (training.steps) or smaller crops (data.crop_px), check losses.critic_learning_rate, or set "
        "losses.seraena = 0.",
    ),
    "gradient.always_clipped": (
        "Nearly every step's gradient is clipped, by much",
        "Raise optimizer.max_gradient_norm to the usual gradient/norm, or lower all loss weights by the same factor.",
    ),
    "output.collapsed": (
        "The output hardly varies",
        "After few steps: raise training.steps or optimizer.learning_rate. After many: check that outputs are not clamped before "
        "the loss and that the last bias starts at 0.5.",
    ),
    "output.saturated": (
        "Much of the output is at or outside the bounds 0 and 1",
        "Take the losses of unclamped outputs, start the last bias at 0.5 and lower optimizer.learning_rate; "
        "where the clips themselves have black or white areas, nothing is wrong.",
    ),
    "score.below_trivial": (
        "A trivial output scores better on the same clips",
        "Where the run is short, raise training.steps first; a long one has another fault: look at its pictures, learning rate "
        "and losses.",
    ),
    "score.overfitted": (
        "The training clips are learned by heart: they gain while the validation clips lose",
        "Cut fresh crops during the training with training.renew_every (promotion.renew_every of a full run), or add videos, or "
        "take fewer steps: the evidence names the best one. A larger losses.encoder holds the latents closer to the reference.",
    ),
    "search.edge_of_space": (
        "The best settings lie at the edge of the search space",
        "Widen [search.space] beyond that bound in conf.toml and search again.",
    ),
    "search.noise_floor": (
        "The best trials differ by less than the noise between seeds",
        "Repeat the best trials with other values of training.seed and choose by their means.",
    ),
}

WORDS = {
    "ok": "Verdict: ok.",
    "thin": "Verdict: nothing found, but little was looked at.",
    "unknown": "Verdict: none, because nothing could be measured.",
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
