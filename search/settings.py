"""Settings of the study, and the one class that holds all settings of the project."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from model.recipe import Recipe
from model.settings import FrozenSettings, build, change, read_tables
from tracking.address import require_address, same_database, without_password
from tracking.settings import DiagnosisSettings, TrackingSettings

ScheduleKind = Literal["constant", "constant_with_warmup", "linear", "cosine", "cosine_with_restarts", "polynomial"]
Range = tuple[Annotated[float, Field(gt=0)], Annotated[float, Field(gt=0)]]


class SpaceSettings(FrozenSettings):
    """Ranges [low, high] that are searched on a logarithmic scale, and the choice of schedules."""

    encoder: Range
    decoder: Range
    reconstruction: Range
    perceptual: Range
    seraena: Range
    learning_rate: Range
    schedule: Annotated[tuple[ScheduleKind, ...], Field(min_length=1)]

    @field_validator("encoder", "decoder", "reconstruction", "perceptual", "seraena", "learning_rate")
    @classmethod
    def _low_below_high(cls, bounds: tuple[float, float]) -> tuple[float, float]:
        if bounds[0] >= bounds[1]:
            raise ValueError(f"a range must be [low, high] with low < high, but got {list(bounds)}")
        return bounds


class BaselineSettings(FrozenSettings):
    """Settings that every study tries first, so that its results compare with them."""

    encoder: Annotated[float, Field(ge=0)]
    decoder: Annotated[float, Field(ge=0)]
    reconstruction: Annotated[float, Field(ge=0)]
    perceptual: Annotated[float, Field(ge=0)]
    seraena: Annotated[float, Field(ge=0)]
    learning_rate: Annotated[float, Field(gt=0)]
    schedule: ScheduleKind


class SearchSettings(FrozenSettings):
    """The study: its name, sampler, pruner, space and baselines."""

    study: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$")]
    storage: str
    seed: Annotated[int, Field(ge=0)]
    startup_trials: Annotated[int, Field(ge=1)]
    pruner: Literal["none", "median", "asha"]
    workers: Annotated[int, Field(ge=0)]
    slots_per_gpu: Annotated[int, Field(ge=1)]
    max_failures: Annotated[int, Field(ge=1)]
    worker_timeout: Annotated[float, Field(gt=0)]
    space: SpaceSettings
    baselines: dict[str, BaselineSettings]

    @field_validator("storage")
    @classmethod
    def _address(cls, storage: str) -> str:
        return require_address(storage, server=False)

    @model_validator(mode="after")
    def _schedules_of_baselines_are_searched(self) -> Self:
        for name, baseline in self.baselines.items():
            if baseline.schedule not in self.space.schedule:
                raise ValueError(
                    "a baseline's schedule must be one of search.space.schedule, because a study keeps it as one of its trials, "
                    f"but search.baselines.{name}.schedule is {baseline.schedule} and the space has "
                    f"{', '.join(self.space.schedule)}; add it there or give the baseline another"
                )
        return self


class ThresholdSettings(FrozenSettings):
    """What a full run must pass to become champion."""

    psnr: Annotated[float, Field(gt=0)]
    ssim: Annotated[float, Field(gt=0, le=1)]
    lpips: Annotated[float, Field(gt=0)]


class PromotionSettings(FrozenSettings):
    """The way from the best trial to a registered model: confirmations, gate, full run."""

    candidates: Annotated[int, Field(ge=1)]
    seeds: Annotated[int, Field(ge=2)]
    long_steps: Annotated[int, Field(ge=1)]
    reference_gap_db: Annotated[float, Field(ge=0)]
    steps: Annotated[int, Field(ge=1)]
    evaluate_every: Annotated[int, Field(ge=1)]
    keep_every: Annotated[int, Field(ge=1)]
    renew_every: Annotated[int, Field(ge=0)]
    model: Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9_.-]+$")]
    thresholds: ThresholdSettings

    @model_validator(mode="after")
    def _kept_steps_are_evaluated(self) -> Self:
        if self.keep_every % self.evaluate_every:
            raise ValueError(
                "promotion.keep_every must be a multiple of promotion.evaluate_every, because checkpoints are written with "
                f"evaluations, but {self.keep_every} is none of {self.evaluate_every}; change one of them"
            )
        return self


class Settings(Recipe):
    """Every setting of the project: conf.toml as one value."""

    tracking: TrackingSettings
    diagnosis: DiagnosisSettings
    search: SearchSettings
    promotion: PromotionSettings

    @model_validator(mode="after")
    def _two_databases(self) -> Self:
        if same_database(self.search.storage, self.tracking.uri):
            raise ValueError(
                "Optuna and MLflow must have a database each, since both keep a table alembic_version, but search.storage and "
                f"tracking.uri are both {without_password(self.search.storage)}; make another with createdb"
            )
        return self


def recorded(settings: Settings) -> Settings:
    """The settings as they may be recorded: addresses without their passwords."""
    return change(
        settings,
        {
            "search.storage": without_password(settings.search.storage),
            "tracking.uri": without_password(settings.tracking.uri),
        },
    )


def load_settings(path: Path, profile: str, changes: Iterable[str]) -> Settings:
    """Read all settings of the project.

    Raises:
        SettingsError: the first rule that is broken.
    """
    return build(Settings, read_tables(path, profile, changes))


def recipe_of(settings: Settings) -> Recipe:
    """The part of the settings that a training is a function of."""
    return Recipe(**{name: getattr(settings, name) for name in Recipe.model_fields})
