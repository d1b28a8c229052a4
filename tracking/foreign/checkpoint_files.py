"""The checkpoint files of a run: found below a folder, put in the order of their steps."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tracking.foreign.stored_weights import ENDINGS

#: Files beside checkpoints that hold an optimizer, a schedule or random states and no weights, by part of their name.
NO_WEIGHTS = re.compile(r"optim|sched|scaler|rng_state|random_states|training_args")

#: A number that the name itself calls a step, and one of three digits or more at the end of a name ("model_90000").
STEP = re.compile(r"(?:step|checkpoint|ckpt|iter|iteration)s?[-_=]?(\d+)", re.IGNORECASE)
TRAILING_NUMBER = re.compile(r"(?:^|[-_=.])(\d{3,})$")

#: Names of the file that a run ends with.
FINAL = re.compile(r"final|last", re.IGNORECASE)


@dataclass(frozen=True)
class CheckpointFiles:
    """What lies in a folder: the files to compare, in order, and those that are not, each with its reason."""

    files: tuple[Path, ...]
    left_out: tuple[str, ...] = ()


def find_checkpoints(path: Path) -> CheckpointFiles:
    """Find the checkpoint files below a folder; a file stands for itself.

    Links are left out: they are second names of other files, or lead out of the folder. Of several files of one step (the
    model and its average, say) the one is taken whose name most steps have. Once files have steps, one without is only
    taken when its name says that it is the last.

    Raises:
        ValueError: there is no such path, or no checkpoint in it.
    """
    if path.is_file():
        return CheckpointFiles((path,))
    if not path.is_dir():
        raise ValueError(f"--checkpoints must be a folder or a file, but there is no {path}; check the path")
    found = sorted(file for file in path.rglob("*") if file.suffix in ENDINGS and file.is_file())
    left_out = [f"{file.relative_to(path)}: a link" for file in found if file.is_symlink()]
    files = [file for file in found if not file.is_symlink()]
    left_out += [f"{file.relative_to(path)}: no weights by its name" for file in files if NO_WEIGHTS.search(file.name)]
    files = [file for file in files if not NO_WEIGHTS.search(file.name)]
    if not files:
        raise ValueError(f"--checkpoints must hold {', '.join(ENDINGS)} files, but {path} has none; check the path")
    chosen, others = in_order(files, path)
    return CheckpointFiles(chosen, tuple(left_out + others))


def in_order(files: list[Path], folder: Path) -> tuple[tuple[Path, ...], list[str]]:
    """Put files in the order of their steps, one of each step, the last one without a step at the end."""
    steps = {file: step_of_name(file, folder) for file in files}
    frequency = Counter(series(file, folder) for file in files)
    by_step: dict[int, Path] = {}
    left_out = []
    for file in sorted(files, key=lambda file: (-frequency[series(file, folder)], str(file))):
        step = steps[file]
        if step is not None and by_step.setdefault(step, file) != file:
            left_out.append(f"{file.relative_to(folder)}: {by_step[step].relative_to(folder)} is of the same step")
    stepless = sorted((file for file in files if steps[file] is None), key=lambda file: natural(file, folder))
    if by_step:
        left_out += [f"{file.relative_to(folder)}: no step" for file in stepless if not FINAL.search(file.name)]
        stepless = [file for file in stepless if FINAL.search(file.name)]
    return (*(by_step[step] for step in sorted(by_step)), *stepless), left_out


def step_of_name(file: Path, folder: Path | None = None) -> int | None:
    """The step that a file's name gives, else the name of the nearest of its folders within `folder`."""
    parents = file.relative_to(folder).parts[:-1] if folder else ()
    numbers = STEP.findall(file.stem) or TRAILING_NUMBER.findall(file.stem)
    for name in reversed(parents):
        numbers = numbers or STEP.findall(name) or TRAILING_NUMBER.findall(name)
    return int(numbers[-1]) if numbers else None


def series(file: Path, folder: Path) -> str:
    """A name that the files of all steps share."""
    return re.sub(r"\d+", "#", str(file.relative_to(folder)))


def natural(file: Path, folder: Path) -> list[tuple[int, str]]:
    """Order in which epoch_10 comes after epoch_9."""
    return [(int(part or 0), text) for text, part in re.findall(r"(\D*)(\d*)", str(file.relative_to(folder)))]
