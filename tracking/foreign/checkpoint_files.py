"""The checkpoint files of a run: found below a folder, put in the order of their steps."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tracking.foreign.stored_weights import ENDINGS, read_step

#: Files beside checkpoints that hold an optimizer, a schedule, random states or a shard of DeepSpeed's, by part of their name.
NO_WEIGHTS = re.compile(r"optim|sched|scaler|rng_state|random_states|training_args|mp_rank_|zero_pp_rank_")

#: A number that a name calls a step, one of three digits or more at the end of a file's name ("model_90000"), and a folder
#: that is only a number.
STEP = re.compile(r"(?:step|checkpoint|ckpt|iter|iteration)s?[-_=]?(\d+)", re.IGNORECASE)
TRAILING_NUMBER = re.compile(r"(?:^|[-_=.])(\d{3,})$")
ONLY_NUMBER = re.compile(r"^(\d+)$")

#: Names of the file that a run ends with.
FINAL = re.compile(r"(?:^|[-_./])(?:final|last|latest)(?=[-_./]|$)", re.IGNORECASE)


@dataclass(frozen=True)
class CheckpointFile:
    """A file and the step that it, or else its name, says it was stored after."""

    path: Path
    name: str
    step: int | None


@dataclass(frozen=True)
class CheckpointFiles:
    """The files to compare, in the order of their steps, and those that are not compared, each with its reason."""

    files: tuple[CheckpointFile, ...]
    left_out: tuple[str, ...] = ()


def find_checkpoints(path: Path) -> CheckpointFiles:
    """Find the checkpoint files below a folder; a file stands for itself.

    Links are left out: they are second names of other files, or lead out of the folder. Of several files of one step (the
    model and its average, say) the one is taken whose name most steps have. Once files have steps, one without is only
    taken when its name says that it is the last.

    Raises:
        ValueError: there is no such path, no checkpoint in it, or one that cannot be read.
    """
    if path.is_file():
        return CheckpointFiles((CheckpointFile(path, path.name, step_of(path, path.parent)),))
    if not path.is_dir():
        raise ValueError(f"--checkpoints must be a folder or a file, but there is no {path}; check the path")
    found = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS and file.is_file())
    reasons = {file: reason for file in found if (reason := reason_against(file))}
    files = [
        CheckpointFile(file, file.relative_to(path).as_posix(), step_of(file, path))
        for file in found
        if file not in reasons
    ]
    if not files:
        raise ValueError(f"--checkpoints must hold {', '.join(ENDINGS)} files, but {path} has none; check the path")
    chosen, others = in_order(files)
    left_out = [f"{file.relative_to(path).as_posix()} ({reason})" for file, reason in reasons.items()]
    return CheckpointFiles(chosen, tuple(left_out + others))


def reason_against(file: Path) -> str | None:
    """Why a file is no checkpoint of its own."""
    if file.is_symlink():
        return "a link"
    return "not the model by its name" if NO_WEIGHTS.search(file.name) else None


def in_order(files: list[CheckpointFile]) -> tuple[tuple[CheckpointFile, ...], list[str]]:
    """Put files in the order of their steps, one of each step, what a run ended with last."""
    final = sorted((file for file in files if is_final(file)), key=natural)
    others = [file for file in files if not is_final(file)]
    frequency = Counter(series(file) for file in others)
    by_step: dict[int, CheckpointFile] = {}
    left_out = []
    for file in sorted(others, key=lambda file: (-frequency[series(file)], file.name)):
        if file.step is not None and by_step.setdefault(file.step, file) != file:
            left_out.append(f"{file.name} (of the same step as {by_step[file.step].name})")
    stepless = sorted((file for file in others if file.step is None), key=natural)
    if by_step:
        left_out += [f"{file.name} (its step is not known)" for file in stepless]
        stepless = []
    return (*(by_step[step] for step in sorted(by_step)), *stepless, *final), left_out


def is_final(file: CheckpointFile) -> bool:
    """Whether a run ended with this file: a name with a step of its own is one of many."""
    return step_of_name(file.name) is None and FINAL.search(file.name) is not None


def step_of(file: Path, folder: Path) -> int | None:
    """The step that a file holds, else that of its name, else that of the folder that was given."""
    stored = read_step(file)
    if stored is not None:
        return stored
    named = step_of_name(file.relative_to(folder).as_posix())
    return named if named is not None else next((int(number) for number in STEP.findall(folder.name)), None)


def step_of_name(name: str) -> int | None:
    """The step that a file's name gives, else that of the nearest folder in it."""
    *folders, file = Path(name).with_suffix("").parts
    numbers = STEP.findall(file) or TRAILING_NUMBER.findall(file)
    for folder in reversed(folders):
        numbers = numbers or STEP.findall(folder) or ONLY_NUMBER.findall(folder)
    return int(numbers[-1]) if numbers else None


def series(file: CheckpointFile) -> str:
    """A name that the files of all steps share."""
    return re.sub(r"\d+", "#", file.name)


def natural(file: CheckpointFile) -> list[tuple[str, int]]:
    """Order in which epoch_10 comes after epoch_9."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", file.name)]
