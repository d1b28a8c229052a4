"""Where measurements become findings, each number with its reason. "facts N" is a number of docs/facts.md."""

# Data as it enters the model. Frames are [0, 1]; photographs and films reach above 0.5 within any batch.
INPUT_MAX_DOUBLE = 0.02  # 1/255 = 0.0039 is the most that frames divided twice can reach (facts 6)
INPUT_MARGIN = 0.01  # resampling may overshoot by rounding, not by more (facts 6)
INPUT_MIN_SIGNED = -0.1  # far below rounding, far above the -1 that signed frames reach
INPUT_BOUND_SIGNED = 1.05

# RMS of what enters the model less the stored frames, over their standard deviation: exactly 0 in sound trainings (docs/LOG.md);
# the margin is for rounding to fewer bits. Swapped colours and another contrast are planted in tests/sabotage/faults.py.
INPUT_DIFFERENCE = 0.02

# Sine of the angle between a loss's pull and the way to the frames: 0 but for rounding in sound trainings (docs/LOG.md); shifted,
# foreign and colour-swapped targets are above it in tests/model/preflight/test_targets.py.
MISDIRECTION = 0.05

# Distance in dB between the PSNR that the training loss implies and the one of the evaluation.
GAP_DOUBLE_DB = 48.13  # 20 log10(255); the failed run showed 48.8 (facts 5)
GAP_DOUBLE_TOLERANCE_DB = 2.0
GAP_SIGNED_DB = 6.02  # 20 log10(2), the factor between [-1, 1] and [0, 1]
GAP_SIGNED_TOLERANCE_DB = 1.0
# Facts 4 propose 3 and 10. Training and validation clips are different pictures, and that alone is worth some dB.
GAP_WARNING_DB = 6.0
GAP_ERROR_DB = 10.0

# The frozen teacher's own round trip: trained ones have 27 dB and more (facts 6). The linear one is judged by the clips.
REFERENCE_PSNR_DB = 25.0
# A teacher that samples from a narrow posterior differs by a few percent from itself, noise in its place by 141 %.
LATENT_DIFFERENCE = 0.2
# The latents that a diffusion model sees are scaled to a standard deviation near 1; TAEHV's soft clamp ends at 3.
LATENT_STD_LOW = 0.2
LATENT_STD_HIGH = 3.0

# A loss that moves nothing, and one that moves everything (facts 6).
INERT_GRADIENT_SHARE = 1e-6
DOMINANT_SHARE = 0.9
DOMINANT_STEPS = 100  # shorter dominance is normal at the start, when the critic is still blind

# The critic (facts 6): its correction has an RMS near 1 once it works, and it needs about 100 steps for that at 64 px.
CRITIC_WARMUP_STEPS = 100
CORRECTION_RMS = 0.1
CRITIC_LOSS_WON = 0.05
CRITIC_LOSS_BLIND = 0.98  # least squares against +1 and -1: answering 0 to everything has loss 1
# Sound critics of an eighth of the width were at 0.99 to 1.00 after 150 steps and below 0.9 later; a fresh one is at 1.2.
CRITIC_SLOW_STEPS = 300
CRITIC_LOSS_FRESH = 1.05

# Schedule (facts 6).
WARMUP_SHARE = 0.2
DECAYED_RATE_SHARE = 0.01  # of the peak; below, a step changes nothing that matters
DECAYED_STEPS_SHARE = 0.2  # a cosine spends 6 % of its steps there, a squared decay 10 %

# Gradient before clipping (facts 6; 1e-7 is the default of SageMaker Debugger's rule).
CLIPPED_SHARE = 0.9
CLIPPED_NORM_RATIO = 3.0
VANISHING_NORM = 1e-7

# Output of the evaluation (facts 6).
COLLAPSED_STD_RATIO = 0.2
SATURATED_SHARE = 0.2
DEAD_SHARE = 0.95  # no film is black or white all over; where outputs are clamped, nothing has a gradient any more

# Learned by heart (docs/LOG.md, 2026-11-30): 40,000 steps on 4096 clips of 104 videos lost .15 dB of validation over seven
# evaluations while training clips gained .9. No other of 45 recorded runs, 100,000 sound steps among them, is found at any step.
OVERFITTED_EVALUATIONS = 3  # that fall one after the other at the end (facts 4)
OVERFITTED_FALL_DB = 0.1
OVERFITTED_GAIN_DB = 0.3

# Weights (facts 9). What Adam moves a weight by is at least a random walk of steps as long as the rate.
FROZEN_CHANGE_RATIO = 0.1
FROZEN_IDENTICAL_SHARE = 0.999
FELT_CHANGE = (
    1e-5  # an expected change below that is lost in float32's rounding: the rate moves nothing, and nothing froze
)
FROZEN_FIT_CHANGE = 1e-6  # float32 rounding of one step; a fit of a healthy network moves percents
FIT_LOSS_RATIO = (
    0.95  # of the first loss, after a short fit on one batch: 24 sound networks ended at 3 to 75 % (docs/LOG.md)
)
INITIAL_CHANGE = 1e-4
INITIAL_CHANGE_WARNING = 1e-2
REACH_MARGIN = 2.0  # steps may exceed the rate a little while Adam's second moment is young
UNRELATED_CHANGE = 0.5  # unrelated weights are sqrt(2) apart; below half, another start is not proven
BELOW_PRECISION_SHARE = 0.1  # sound float32 runs stay below 0.002, bfloat16 weights at 1e-3 lose 0.3 (docs/LOG.md)
FULL_BITS = 32
SKIPPED_SHARE = 0.01
SKIPPED_SHARE_ERROR = 0.2

# Adam's epsilon outweighs the gradient where the root of the second moment is below ten times of it (facts 9).
STARVED_SHARE = 0.5

# Study (facts 9).
EDGE_SHARE = 0.05  # of the logarithmic range, at each end
EDGE_TRIALS = 20  # fewer trials than this have not searched the space, so their best says nothing about its edge

# So few steps leave a fresh network below a constant colour without any fault: on two cores sound runs of 100 steps end up to
# 2.2 dB below the mean colour (docs/diagnosis-recall.md), on an H200 all of 1000 steps end 4 dB above it (docs/LOG.md).
SHORT_STEPS = 1000
