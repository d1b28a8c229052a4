"""python -m model.training.compile_part PART: compile a part of a step in a process of its own, for the cache on disk.

The compiler is a Python program that keeps one core busy for a minute or two. Started once for each part, it is done when
the longest part is; who needs the step then finds all parts in the cache.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from hashlib import sha256
from pathlib import Path

import torch

from model.recipe import Recipe
from model.training.regions import PARTS, cache_folder

#: A step on a GPU has nothing for torch's CPU threads to do, and idle ones take the cores from reading the data.
ONE_THREAD = {"OMP_NUM_THREADS": "1"}


@contextmanager
def compiled_beside(recipe: Recipe, parts: tuple[str, ...]) -> Iterator[Iterator[str]]:
    """While this is open, other processes compile parts of a step, one each; gives the parts as they are done.

    One that fails leaves nothing in the cache; whoever needs the part compiles it then and meets the error.

    Args:
        recipe: of the step.
        parts: names out of PARTS, those that take longest first.
    """
    with ExitStack() as stack:
        processes = {part: stack.enter_context(start_compiling(recipe, part)) for part in parts}
        yield wait_in_turn(processes)
        for _ in wait_in_turn(processes):
            pass


def wait_in_turn(processes: dict[str, subprocess.Popen[str]]) -> Iterator[str]:
    """The parts of processes, the last one's first, each when its process has ended."""
    for part in reversed(processes):
        processes[part].wait()
        yield part


def start_compiling(recipe: Recipe, part: str) -> subprocess.Popen[str]:
    """Start a process that compiles a part; it ends by itself when this one does."""
    command = [sys.executable, "-m", "model.training.compile_part", part]
    # What it complains of, the process that needs the part will complain of; its stdin stays open as long as this process lives.
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=os.environ | ONE_THREAD
    )
    assert process.stdin is not None
    process.stdin.write(recipe.model_dump_json() + "\n")
    process.stdin.flush()
    return process


def parts_for_others(mark: Path) -> tuple[str, ...]:
    """The parts that are worth a process of their own: all but the longest, unless they are in the cache or cores are few."""
    return () if mark.exists() or len(os.sched_getaffinity(0)) <= len(PARTS) else PARTS[1:]


def mark_of(recipe: Recipe, fixed: dict[str, object], device: torch.device) -> Path:
    """The file that says that a step is in the cache.

    Args:
        recipe: of the step.
        fixed: the settings of the recipe that the compiler's work depends on.
        device: CUDA device.
    """
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"
    described = json.dumps([fixed, torch.__version__, name], sort_keys=True)
    return cache_folder(recipe) / f"{sha256(described.encode()).hexdigest()[:12]}.complete"


def compile_part(recipe: Recipe, part: str) -> None:
    """Take one step on noise with a part of it compiled."""
    from model.evaluation.perceptual import load_perceptual
    from model.training.capture import noise_feed, prepare_step, weighted_names
    from model.training.device import make_repeatable, resolve_device
    from model.training.regions import compile_regions

    device = resolve_device(recipe.training.device)
    make_repeatable(device)
    perceptual = load_perceptual(recipe.evaluation.lpips, device) if recipe.losses.perceptual > 0 else None
    step = prepare_step(recipe, noise_feed(recipe, device), perceptual, weighted_names(recipe))
    compile_regions(step.regions, step.state.seraena.critic, recipe, (part,))
    step()


def end_with_parent() -> None:
    """Wait until stdin closes, then leave without a word."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    given = Recipe.model_validate_json(sys.stdin.readline())
    threading.Thread(target=end_with_parent, daemon=True).start()
    compile_part(given, sys.argv[1])
