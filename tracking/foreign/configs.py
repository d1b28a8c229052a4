"""Settings from the configuration of any training code, by their names here."""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_origin

from model.settings import flatten
from tracking.foreign.evaluation import is_number
from tracking.foreign.python_config import Assigned, read_python
from tracking.settings import WARMUP_STEPS, recipe_fields

#: What Hugging Face's libraries call the values that have another name here; theirs of schedule.kind are ours.
VALUES = {
    "training.precision": {"no": "float32", "fp32": "float32", "bf16": "bfloat16", "fp16": "float16"},
}


@dataclass(frozen=True)
class Config:
    """A configuration by the names here.

    Attributes:
        settings: "table.key" as in conf.toml.
        origins: where each stood: "args.reconstruction_loss_weight".
        others: what has no name here, as it stood.
        not_read: names whose value would have to be computed, or whose meaning is not clear, with the reason.
    """

    settings: dict[str, Any]
    origins: dict[str, str]
    others: dict[str, Any]
    not_read: tuple[str, ...]


def read_config(path: Path, names: Mapping[str, tuple[str, ...]]) -> Config:
    """Read a .toml, .json or .py file; nothing in it is executed.

    Args:
        path: the file.
        names: of each setting "table.key" in other people's configurations.

    Raises:
        ValueError: the file cannot be read, has no known setting, or gives one a value that is no literal of its kind.
    """
    if not path.is_file():
        raise ValueError(
            f"--config must be a file, but {path} is none; give the run's .toml, .json or .py configuration"
        )
    if path.suffix == ".py":
        lines = read_python(path)
    elif path.suffix in (".toml", ".json"):
        lines = [Assigned(name, name, value, True, 0) for name, value in flatten(read_tables(path)).items()]
    else:
        raise ValueError(f"--config must end in .toml, .json or .py, but {path} does not; write it as one of them")
    config = name_settings(nested_apart(lines), names, path)
    if not config.settings:
        raise ValueError(
            f"--config must hold a setting that is known here, but {path} has none; "
            "name its settings under [diagnosis.settings] of conf.toml"
        )
    return config


def read_tables(path: Path) -> dict[str, Any]:
    """Read TOML or JSON as tables."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        tables = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"a configuration must be what its ending says, but {path}: {error}; mend it") from error
    if not isinstance(tables, dict):
        raise ValueError(f"a configuration must be a table of names, but {path} is a {type(tables).__name__}; mend it")
    # A settings file of this project also lists other people's names, which are no settings of the run.
    return {name: table for name, table in tables.items() if name != "diagnosis"}


def nested_apart(lines: list[Assigned]) -> dict[str, Assigned]:
    """Each value by its name, dictionaries taken apart; of a name that is assigned twice the last."""
    apart: dict[str, Assigned] = {}
    for line in lines:
        values = flatten(line.value, f"{line.name}.") if isinstance(line.value, Mapping) else {line.name: line.value}
        for name, value in values.items():
            origin = line.origin + name.removeprefix(line.name)
            apart[name] = Assigned(name, origin, value, line.literal, line.line)
    return apart


def name_settings(lines: Mapping[str, Assigned], names: Mapping[str, tuple[str, ...]], path: Path) -> Config:
    """Give the settings their names here."""
    chosen: dict[str, Assigned] = {}
    not_read: list[str] = []
    known = recipe_fields() | {WARMUP_STEPS: int}
    for ours in known:
        candidates = candidates_of((ours, *names.get(ours, ())), lines)
        if len({repr(line.value) for line in candidates}) > 1:
            not_read.append(f"{', '.join(line.origin for line in candidates)}: each could be {ours}")
        elif candidates and is_text(known[ours]) and not isinstance(candidates[0].value, str | None):
            not_read.append(f"{candidates[0].origin} = {candidates[0].value!r}: {ours} is a text")
        elif candidates:
            chosen[ours] = candidates[0]
    settings = {ours: checked(ours, known[ours], line, path) for ours, line in chosen.items()}
    origins = {ours: line.origin for ours, line in chosen.items()}
    warmup_in_steps(settings, origins, not_read)
    taken = {line.name for line in chosen.values()}
    rest = [line for name, line in lines.items() if name not in taken]
    not_read += [f"{line.value} (line {line.line}): would have to be computed" for line in rest if not line.literal]
    return Config(
        settings={ours: value for ours, value in settings.items() if value is not None},
        origins={ours: origin for ours, origin in origins.items() if settings.get(ours) is not None},
        others={line.origin: line.value for line in rest if line.literal},
        not_read=tuple(not_read),
    )


def is_text(kind: Any) -> bool:
    """Whether a setting of this type is a text."""
    return kind is str or get_origin(kind) is Literal


def candidates_of(names: tuple[str, ...], lines: Mapping[str, Assigned]) -> list[Assigned]:
    """The values under the first name that any has: the whole name before the last part of a longer one."""
    for name in names:
        if name in lines:
            return [lines[name]]
        # Names with a dot are whole ones: "optimizer.lr" is not the end of "critic.optimizer.lr".
        ends = [line for full, line in lines.items() if "." not in name and full.rsplit(".", 1)[-1] == name]
        if ends:
            return ends
    return []


def checked(ours: str, kind: Any, line: Assigned, path: Path) -> Any:
    """The value as a setting here has it; None where the configuration says that there is none."""
    place = f"{path} line {line.line}" if line.line else str(path)
    if not line.literal:
        raise ValueError(
            f"a setting must be given as a literal, because a configuration is never executed, but {place} is: {line.value}; "
            f"write the value of {line.origin} itself"
        )
    if line.value is None:
        return "" if ours == "network.weights" else None
    value = VALUES.get(ours, {}).get(line.value, line.value) if isinstance(line.value, str) else line.value
    if kind in (int, float) and not is_number(value):
        raise ValueError(
            f"{line.origin} must be a finite number, as {ours} is, but {place} has {line.value!r}; write the number"
        )
    return value


def warmup_in_steps(settings: dict[str, Any], origins: dict[str, str], not_read: list[str]) -> None:
    """Turn warm-up in steps into its share of the run, in place, unless the share is given."""
    steps, origin = settings.pop(WARMUP_STEPS, None), origins.pop(WARMUP_STEPS, "")
    if steps is None or settings.get("schedule.warmup_share") is not None:
        return
    horizon = settings.get("training.steps")
    if horizon is None or horizon <= 0:
        not_read.append(f"{origin}: the run's number of steps is not given")
        return
    settings["schedule.warmup_share"] = steps / horizon
    origins["schedule.warmup_share"] = f"{origin} / {origins['training.steps']}"
