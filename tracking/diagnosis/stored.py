"""What is known of stored weights: facts about files, gathered by whoever could read them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CheckpointFacts:
    """One stored set of weights, and how it differs from the one before and from the weights that training started from.

    What could not be measured is None: a report may quote mean and standard deviation and nothing else.

    Attributes:
        name: file or other source, for people.
        step: optimisation steps that it was stored after.
        mean: over all values of all floating point tensors.
        std: standard deviation over the same.
        digits: decimal places that mean and std are known to; None when they were computed from the weights.
        dtype: of most values: float32, bfloat16, float16.
        identical_share: of the values, those that are bit for bit as in the checkpoint before, in [0, 1].
        change: L2 norm of the difference to the checkpoint before over the norm of that.
        change_from_start: likewise to the weights that training started from.
        not_loaded: "encoder.0.weight: missing" and the like, for keys of the starting weights that this one does not hold in
            that shape.
    """

    name: str
    step: int | None
    mean: float | None = None
    std: float | None = None
    digits: int | None = None
    dtype: str | None = None
    identical_share: float | None = None
    change: float | None = None
    change_from_start: float | None = None
    not_loaded: tuple[str, ...] = ()


@dataclass(frozen=True)
class StudyFacts:
    """What a study's ranking says about its space and its noise.

    Attributes:
        best: numeric parameters of the best trial.
        space: (low, high) of each searched number.
        num_trials: complete trials.
        top_scores: scores of the best trials, the best first.
        seed_scores: scores of the same settings with different seeds, by a name of the settings; None when nothing was repeated.
    """

    best: dict[str, float]
    space: dict[str, tuple[float, float]]
    num_trials: int
    top_scores: tuple[float, ...] = ()
    seed_scores: dict[str, tuple[float, ...]] | None = None
