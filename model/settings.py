"""How settings are read: one strict TOML file, a profile, and changes from the command line.

Every value stands in conf.toml and nowhere else: the settings classes have no defaults, so a file that lacks a key is refused
and so is a key that no class knows (docs/decisions/0003-settings.md).
"""

import difflib
import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

#: The tables of conf.toml. A command that needs only some of them still refuses a table that is none of these.
TABLES = (
    "data",
    "reference",
    "network",
    "losses",
    "optimizer",
    "schedule",
    "training",
    "evaluation",
    "tracking",
    "diagnosis",
    "search",
    "promotion",
)

PROFILES = ("cpu", "h100")

Tables = dict[str, Any]

#: A path in which a leading ~ means the home folder; --set tracking.root=~/x reaches us before any shell has read it.
HomePath = Annotated[str, AfterValidator(lambda path: str(Path(path).expanduser()) if path.startswith("~") else path)]


class SettingsError(ValueError):
    """A setting that breaks a rule; the text states the rule, the value and the remedy."""


class FrozenSettings(BaseModel):
    """Base of every settings class: immutable, no unknown keys, no silent conversion of types."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)

    #: Names of fields that do not change a result (paths of caches, log intervals): left out of the identity.
    unscientific: ClassVar[frozenset[str]] = frozenset()

    #: Values at which a field that came later changes nothing: left out there, so that older runs keep their identity.
    absent_at: ClassVar[Mapping[str, Any]] = {}


S = TypeVar("S", bound=FrozenSettings)


def read_tables(path: Path, profile: str, changes: Iterable[str] = ()) -> Tables:
    """Read a settings file into plain tables.

    Args:
        path: a TOML file in the form of conf.toml, or the resolved conf.toml of a run.
        profile: name of a table under [profile] that overrides the others; "cpu" or "h100".
        changes: texts "table.key=value", applied last; the value is read as TOML, else taken as text.

    Raises:
        SettingsError: the file is missing or no TOML, names an unknown table or profile, or a change has no such form.
    """
    try:
        tables: Tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(
            f"the settings file must be readable, but {path}: {error.strerror}; give one with --config"
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"the settings file must be TOML, but {path}: {error}") from error
    profiles = tables.pop("profile", {})
    for name in profiles:
        if name not in PROFILES:
            raise SettingsError(f"[profile.{name}] in {path} is no profile; {nearest(name, PROFILES)}")
    merge(tables, profiles.get(profile, {}))
    for change in changes:
        merge(tables, parse_change(change))
    for name in tables:
        if name not in TABLES:
            raise SettingsError(f"{path} has a table [{name}] that nothing reads; {nearest(name, TABLES)}")
    return tables


def merge(tables: Tables, overrides: Mapping[str, Any]) -> None:
    """Lay `overrides` over `tables`, table by table, in place."""
    for name, value in overrides.items():
        if isinstance(value, Mapping) and isinstance(tables.get(name), dict):
            merge(tables[name], value)
        else:
            tables[name] = value


def parse_change(text: str) -> Tables:
    """Turn "losses.encoder=0.1" into {"losses": {"encoder": 0.1}}."""
    path, equals, value = text.partition("=")
    names = path.strip().split(".")
    if not equals or len(names) < 2 or not all(names):
        raise SettingsError(f"--set takes table.key=value, but got '{text}'; for example --set training.steps=500")
    try:
        parsed: Any = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        parsed = value  # a bare word or a path needs no quotes on the command line
    for name in reversed(names):
        parsed = {name: parsed}
    return parsed


def build(kind: type[S], tables: Tables) -> S:
    """Check plain tables against a settings class.

    Raises:
        SettingsError: the first rule that is broken, with the value and the nearest known name.
    """
    wanted = {name: table for name, table in tables.items() if name in kind.model_fields}
    try:
        return kind.model_validate(wanted)
    except ValidationError as error:
        raise SettingsError(explain(kind, error)) from error


def change(settings: S, changes: Mapping[str, Any]) -> S:
    """Return a changed copy, checked as a file would be; keys are "table.key"."""
    tables = settings.model_dump(mode="json")
    for name, value in changes.items():
        nested: Any = value
        for part in reversed(name.split(".")):
            nested = {part: nested}
        merge(tables, nested)
    return build(type(settings), tables)


def explain(kind: type[BaseModel], error: ValidationError) -> str:
    """Say the first broken rule of a validation error in one line."""
    first = error.errors()[0]
    path = [str(part) for part in first["loc"]]
    table, name = ".".join(path[:-1]), path[-1] if path else ""
    if first["type"] == "extra_forbidden":
        return f"[{table}] has no setting '{name}'; {nearest(name, field_names(kind, path[:-1]))}"
    if first["type"] == "missing":
        return (
            f"[{table}] must set '{name}', but does not; take the line from the project's conf.toml"
            if table
            else f"the settings must have a table [{name}]"
        )
    rule = first["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    if first["type"] == "value_error":
        return f"[{'.'.join(path)}] {rule}" if path else rule
    return f"[{table}] {name} = {first['input']!r} is not allowed: {rule[0].lower()}{rule[1:]}"


def field_names(kind: type[BaseModel], path: list[str]) -> list[str]:
    """Names of the settings under a table path such as ["search", "space"]."""
    current: Any = kind
    for part in path:
        field = current.model_fields.get(part) if isinstance(current, type) and issubclass(current, BaseModel) else None
        current = field.annotation if field else None
    return list(current.model_fields) if isinstance(current, type) and issubclass(current, BaseModel) else []


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, or all of them when none is near."""
    names = list(known)
    close = difflib.get_close_matches(name, names, n=1)
    return f"did you mean '{close[0]}'?" if close else f"known are {', '.join(names)}"


def flatten(settings: BaseModel | Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return {"table.key": value} of nested settings; lists stay values."""
    items = settings.model_dump(mode="json") if isinstance(settings, BaseModel) else settings
    flat: dict[str, Any] = {}
    for name, value in items.items():
        if isinstance(value, Mapping):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[f"{prefix}{name}"] = value
    return flat


def scientific(settings: FrozenSettings) -> Tables:
    """The resolved settings without those that cannot change a result."""
    tables: Tables = {}
    for name in type(settings).model_fields:
        if name in settings.unscientific:
            continue
        value = getattr(settings, name)
        if name in settings.absent_at and value == settings.absent_at[name]:
            continue
        tables[name] = (
            scientific(value) if isinstance(value, FrozenSettings) else settings.model_dump(mode="json")[name]
        )
    return tables


def identity(settings: FrozenSettings) -> str:
    """12 hex digits of the sha256 of the scientific settings: equal settings, equal run (idea: facebookresearch/dora)."""
    text = json.dumps(scientific(settings), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
