"""Settings of the record and of the diagnosis of other people's runs."""

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, field_validator

from model.recipe import Recipe
from model.settings import FrozenSettings, HomePath, nearest
from tracking.address import require_address

#: Curves that a rule or a person can read in a foreign run, by their names here.
FOREIGN_CURVES = (
    *(f"loss/{name}" for name in ("encoder", "decoder", "reconstruction", "perceptual", "seraena", "total")),
    *("learning_rate", "gradient/norm", "critic/loss", "critic/correction_rms", "train/psnr"),
    *(f"val/{name}" for name in ("psnr", "ssim", "lpips")),
    *(f"input/{name}" for name in ("min", "max", "mean", "std")),
)

#: Stands among the settings' names because others give warm-up in steps; it becomes schedule.warmup_share.
WARMUP_STEPS = "schedule.warmup_steps"


class TrackingSettings(FrozenSettings):
    """Where the record lives and how much of it is kept."""

    root: HomePath
    uri: str
    experiment: Annotated[str, Field(min_length=1)]
    keep_checkpoints: Annotated[int, Field(ge=1)]
    port: Annotated[int, Field(ge=1, le=65535)]

    @field_validator("uri")
    @classmethod
    def _address(cls, uri: str) -> str:
        return require_address(uri, server=True)


def one_or_more(names: Any) -> Any:
    """Take a single name as a list of one, so that --set needs no brackets."""
    return (names,) if isinstance(names, str) else names


Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], BeforeValidator(one_or_more)]


class DiagnosisSettings(FrozenSettings):
    """What other people's runs call the curves and settings of this project."""

    tags: dict[str, Names]
    settings: dict[str, dict[str, Names]]

    @field_validator("tags")
    @classmethod
    def _known_curves(cls, tags: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        refuse_unknown("curve", tags, FOREIGN_CURVES)
        refuse_shared("tag", tags)
        return tags

    @field_validator("settings")
    @classmethod
    def _known_settings(cls, settings: dict[str, dict[str, tuple[str, ...]]]) -> dict[str, dict[str, tuple[str, ...]]]:
        names = flat_names(settings)
        refuse_unknown("setting", names, (*recipe_fields(), WARMUP_STEPS))
        refuse_shared("name", names)
        return settings

    def setting_names(self) -> dict[str, tuple[str, ...]]:
        """The names of each setting "table.key" in other people's configurations."""
        return flat_names(self.settings)


def flat_names(settings: dict[str, dict[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    """Bring {"losses": {"encoder": names}} to {"losses.encoder": names}."""
    return {f"{table}.{key}": names for table, keys in settings.items() for key, names in keys.items()}


def recipe_fields() -> dict[str, Any]:
    """The type of each setting "table.key" of a training."""
    tables = {table: field.annotation for table, field in Recipe.model_fields.items()}
    return {
        f"{table}.{key}": field.annotation
        for table, kind in tables.items()
        if isinstance(kind, type) and issubclass(kind, BaseModel)
        for key, field in kind.model_fields.items()
    }


def refuse_unknown(kind: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse a name that nothing here has."""
    for name in names:
        if name not in known:
            raise ValueError(f"must name a {kind} that is known here, but has '{name}'; {nearest(name, known)}")


def refuse_shared(kind: str, names: dict[str, tuple[str, ...]]) -> None:
    """Refuse a foreign name that stands for two things: the order of a table must decide nothing."""
    owners: dict[str, str] = {}
    for ours, theirs in names.items():
        for one in theirs:
            if owners.setdefault(one, ours) != ours:
                raise ValueError(
                    f"a {kind} must stand for one thing, but '{one}' is under {owners[one]} and {ours}; take it out of one"
                )
