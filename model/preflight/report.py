"""What a preflight measured; numbers only, the judgement is tracking/diagnosis."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class TensorRange:
    """Moments of a tensor of pixels; 0 and 1 are black and white."""

    minimum: float
    maximum: float
    mean: float
    std: float


@dataclass(frozen=True)
class InputCheck:
    """What entered the model.

    Attributes:
        range: of its values.
        difference: RMS of what entered less the frames that the bank holds for it, over these frames' standard deviation; 0
            when it is these frames.
    """

    range: TensorRange
    difference: float


@dataclass(frozen=True)
class TargetCheck:
    """What a loss against frames pulls the network's output towards.

    Attributes:
        frame_shift: by how many frames that target is late against the frames that entered the model, from -4 to 4; None where
            it shows other pictures altogether.
        range: of its values.
        misdirection: sine of the angle between the pull and the way to the frames that entered, in [0, 1]; 0 when these are the
            target.
    """

    frame_shift: int | None
    range: TensorRange
    misdirection: float


@dataclass(frozen=True)
class LossCheck:
    """One loss on one batch of a fresh network.

    Attributes:
        weight: of the settings.
        value: unweighted; None where it was not computed.
        gradient_norm: of the weighted loss with respect to all weights of the network; None without a weight or a value.
        target: None of losses that have no frames as target, and of those without a gradient.
        error: exception that computing it raised, "Type: text"; None where there was none.
    """

    weight: float
    value: float | None
    gradient_norm: float | None
    target: TargetCheck | None
    error: str | None


@dataclass(frozen=True)
class ReferenceCheck:
    """The frozen teacher.

    Attributes:
        latent_mean: over the training latents.
        latent_std: likewise.
        repeat_difference: RMS between the latents that training gets for some clips and those that the reference makes of
            the same clips now, divided by latent_std; 0 for a teacher that says the same thing twice.
        frame_shift: by how many frames its round trip of the validation clips is late; None where it shows other pictures.
    """

    latent_mean: float
    latent_std: float
    repeat_difference: float
    frame_shift: int | None


@dataclass(frozen=True)
class StartCheck:
    """The weights that training begins with against the file that network.weights names.

    Attributes:
        file: as the settings name it.
        difference: L2 norm of (start - file) over that of the file; 0 when the file was loaded.
        differing_tensors: how many of the tensors differ at all.
        tensors: how many there are.
    """

    file: str
    difference: float
    differing_tensors: int
    tensors: int


@dataclass(frozen=True)
class FitCheck:
    """A short training on one batch: whether anything can be learned at all.

    Attributes:
        steps: that were taken.
        first_loss: reconstruction loss of the first step.
        last_loss: median of the last ten steps.
        change: L2 norm of what the weights moved over that of the weights.
        output_std: of the reconstruction of that batch afterwards, before clamping.
        target_std: of the frames.
    """

    steps: int
    first_loss: float
    last_loss: float
    change: float
    output_std: float
    target_std: float


@dataclass(frozen=True)
class SharedFile:
    """A content, or a source video, that stands on both sides of the split."""

    training: str
    validation: str
    rule: str  # "equal content" or "same source"


@dataclass(frozen=True)
class ScheduleCheck:
    """The learning rate over the horizon.

    Attributes:
        horizon: steps.
        warmup_share: of the steps, before the rate reaches its peak.
        low_share: of the steps, those after the peak whose rate is below 1 % of it.
    """

    horizon: int
    warmup_share: float
    low_share: float


@dataclass(frozen=True)
class Preflight:
    """Everything that is measured before a training is paid for.

    Attributes:
        seconds: that measuring took.
        training_input: what entered the model in training.
        evaluation_input: what entered it in evaluation.
        losses: by name, all five.
        reference: the teacher.
        start: None when training starts from scratch.
        fit: a short training on one batch; None where a loss raises, as a step would raise it again.
        shared: training files that are also validated on; at most 20 are listed.
        num_shared: how many there are.
        schedule: the learning rate over the horizon.
    """

    seconds: float
    training_input: InputCheck
    evaluation_input: InputCheck
    losses: dict[str, LossCheck]
    reference: ReferenceCheck
    start: StartCheck | None
    fit: FitCheck | None
    shared: tuple[SharedFile, ...]
    num_shared: int
    schedule: ScheduleCheck

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Self:
        """Read back what `to_json` gave."""
        start, fit = content["start"], content["fit"]
        parts = {
            "training_input": input_check(content["training_input"]),
            "evaluation_input": input_check(content["evaluation_input"]),
            "losses": {name: loss_check(values) for name, values in content["losses"].items()},
            "reference": ReferenceCheck(**content["reference"]),
            "start": None if start is None else StartCheck(**start),
            "fit": None if fit is None else FitCheck(**fit),
            "shared": tuple(SharedFile(**values) for values in content["shared"]),
            "schedule": ScheduleCheck(**content["schedule"]),
        }
        return cls(**dict(content) | parts)


def input_check(values: Mapping[str, Any]) -> InputCheck:
    """An input's check from its plain values."""
    return InputCheck(**dict(values) | {"range": TensorRange(**values["range"])})


def loss_check(values: Mapping[str, Any]) -> LossCheck:
    """A loss' check from its plain values."""
    target = values["target"]
    if target is not None:
        target = TargetCheck(**target | {"range": TensorRange(**target["range"])})
    return LossCheck(**dict(values) | {"target": target})
