"""The parts of a step that a compiler is given as wholes."""

import os
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.network.critic import Critic
from model.recipe import Recipe
from model.training.device_update import finish_step
from model.training.losses import measure_losses
from model.training.passes import decode_latents, encode_video
from model.training.perceptual_loss import compare_frames, describe_targets

#: How parts are compiled. Small kernels that do not depend on each other become one (combo_kernels): weights and gradients
#: change their type some hundred times a step. A kernel that sums is chosen by rule and not by a race (deterministic): the
#: order of a sum would differ from process to process, which 1000 steps made 0.1 to 0.3 dB of (docs/LOG.md).
COMPILER: dict[str, Any] = {
    "fullgraph": True,
    "dynamic": False,
    "options": {"combo_kernels": True, "deterministic": True},
}

#: Where torch's compiler looks for the folder of its cache.
CACHE_VARIABLE = "TORCHINDUCTOR_CACHE_DIR"

#: What is compiled at once; what takes longest first.
PARTS = ("decoder", "perceptual", "critic", "encoder", "losses", "targets")

#: Into how many shares the cores are divided when kernels are compiled: parts come to that at different times.
KERNEL_SHARES = 4


@dataclass
class Regions:
    """Compiled parts of a step, each with the signature of the function that it stands for; None: the function itself."""

    encode: Callable[..., Tensor] | None = None
    decode: Callable[..., list[Tensor]] | None = None
    describe: Callable[..., list[Tensor]] | None = None
    compare: Callable[..., Tensor] | None = None
    losses: Callable[..., dict[str, Tensor]] | None = None
    finish: Callable[..., None] | None = None


def compile_regions(regions: Regions, critic: Critic, recipe: Recipe, parts: Collection[str] = PARTS) -> None:
    """Have parts of a step compiled when they first run; what the compiler makes is kept below data.cache_dir.

    Args:
        regions: of the step; changed.
        critic: of the step; changed.
        recipe: of the step.
        parts: names out of PARTS.
    """
    assert set(parts) <= set(PARTS), parts
    # All modules that are compiled count together, the critic three times for each shape and precision; 8 are allowed at first.
    torch._dynamo.config.recompile_limit = 64
    cache_folder(recipe)
    # Of processes that compile kernels; torch would start one for each core, in each process that compiles a part.
    torch._inductor.config.compile_threads = max(1, len(os.sched_getaffinity(0)) // KERNEL_SHARES)
    compiled = partial(torch.compile, **COMPILER)
    if "decoder" in parts:
        regions.decode = compiled(decode_latents)
    if "encoder" in parts:
        regions.encode = compiled(encode_video)
    if "critic" in parts:
        critic.compile(**COMPILER)
    if "targets" in parts:
        regions.describe = compiled(describe_targets)
    if "perceptual" in parts:
        regions.compare = compiled(compare_frames)
    if "losses" in parts:
        regions.losses, regions.finish = compiled(measure_losses), compiled(finish_step)


def cache_folder(recipe: Recipe) -> Path:
    """Have this process' compiler keep what it makes below data.cache_dir, unless a person named a folder; the folder.

    torch writes its own default into the environment as soon as any part of its compiler is imported.
    """
    from torch._inductor.runtime.cache_dir_utils import (
        default_cache_dir,  # here: it imports the whole compiler, for 3 s
    )

    if os.environ.get(CACHE_VARIABLE) in (None, default_cache_dir()):
        os.environ[CACHE_VARIABLE] = str(Path(recipe.data.cache_dir).absolute() / "compiled")
    return Path(os.environ[CACHE_VARIABLE])
