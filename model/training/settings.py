"""Settings of a training run: losses, optimizer, schedule and loop."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from model.settings import FrozenSettings

#: The five losses, each a weight in LossSettings.
LOSSES = ("encoder", "decoder", "reconstruction", "perceptual", "seraena")

Weight = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]


class LossSettings(FrozenSettings):
    """Weights of the five losses (0: measured only) and what the perceptual loss and the Seraena critic need."""

    encoder: Weight
    decoder: Weight
    reconstruction: Weight
    perceptual: Weight
    seraena: Weight
    perceptual_frames: Annotated[int, Field(ge=1)]
    critic_width: Annotated[float, Field(gt=0, le=1)]
    critic_learning_rate: Annotated[float, Field(gt=0)]
    critic_group_frames: Annotated[int, Field(ge=1)]
    replay_mib: Annotated[int, Field(ge=1)]


class OptimizerSettings(FrozenSettings):
    """AdamW and gradient clipping (max_gradient_norm = 0: no clipping)."""

    learning_rate: Annotated[float, Field(gt=0)]
    beta1: Annotated[float, Field(ge=0, lt=1)]
    beta2: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Annotated[float, Field(ge=0)]
    max_gradient_norm: Annotated[float, Field(ge=0)]


class ScheduleSettings(FrozenSettings):
    """Learning rate over the horizon of the run; warm-up is a share of the horizon."""

    kind: Literal["constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial"]
    warmup_share: Share
    cycles: Annotated[int, Field(ge=1)]
    power: Annotated[float, Field(gt=0)]


class TrainingSettings(FrozenSettings):
    """Length, batch, precision and intervals (in steps) of a run."""

    unscientific: ClassVar[frozenset[str]] = frozenset(
        {"execution", "log_every", "probe_every", "checkpoint_every", "device"}
    )

    absent_at: ClassVar[Mapping[str, Any]] = {"renew_every": 0}

    steps: Annotated[int, Field(ge=1)]
    batch_size: Annotated[int, Field(ge=1)]
    average_share: Share
    precision: Literal["float32", "bfloat16"]
    execution: Literal["auto", "eager", "captured"]
    seed: Annotated[int, Field(ge=0)]
    evaluate_every: Annotated[int, Field(ge=1)]
    log_every: Annotated[int, Field(ge=1)]
    probe_every: Annotated[int, Field(ge=1)]
    checkpoint_every: Annotated[int, Field(ge=0)]
    renew_every: Annotated[int, Field(ge=0)]
    device: str

    @field_validator("device")
    @classmethod
    def _known_device(cls, device: str) -> str:
        if device not in ("auto", "cpu", "cuda") and not device.startswith("cuda:"):
            raise ValueError(f"device must be auto, cpu, cuda or cuda:N, but got '{device}'")
        return device
