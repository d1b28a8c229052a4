"""A training step compiled and captured in a CUDA graph, once for all trials that differ in numbers alone."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from model.bank import Bank
from model.bank_size import clip_shape, latents_dtype, latents_shape
from model.evaluation.perceptual import Perceptual
from model.recipe import Recipe
from model.training.batches import draw
from model.training.compile_part import compiled_beside, mark_of, parts_for_others
from model.training.device import make_repeatable
from model.training.device_step import DeviceStep
from model.training.feed import Feed, ResidentFeed, open_feed
from model.training.regions import PARTS, compile_regions
from model.training.settings import LOSSES
from model.training.state import TrainState, start_state

#: Runs before the capture, after one that compiles and chooses every kernel.
WARMUP_STEPS = 2

#: Where the gradient of a loss leads. A part that no loss reaches keeps its weights, without any decay.
REACHES = {
    "encoder": {"encoder"},
    "decoder": {"decoder"},
    "reconstruction": {"encoder", "decoder"},
    "perceptual": {"encoder", "decoder"},
    "seraena": {"decoder"},
}

#: Settings that a captured step reads from Controls, or that only its driver reads; a change of others needs another capture.
NUMBERS = (
    *(f"losses.{name}" for name in LOSSES),
    "losses.critic_learning_rate",
    "optimizer.learning_rate",
    "optimizer.max_gradient_norm",
    *(f"schedule.{name}" for name in ("kind", "warmup_share", "cycles", "power")),
    *(f"training.{name}" for name in ("steps", "average_share", "seed", "execution")),
    *(f"training.{name}_every" for name in ("evaluate", "log", "probe", "checkpoint", "renew")),
)


@dataclass(frozen=True)
class CapturedStep:
    """A step and the graph that replays it."""

    step: DeviceStep
    graph: torch.cuda.CUDAGraph


class Captures:
    """The captured steps of a process, on one bank at a time."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Let go of every step and of the bank's copy, and so of their memory."""
        self._fed: tuple[Bank, torch.dtype, int] | None = None
        self._feed: Feed | None = None
        self._kept: list[tuple[dict[str, Any], CapturedStep]] = []
        self._compiled: tuple[dict[str, Any], DeviceStep] | None = None
        self._begun: tuple[Any, TrainState] | None = None

    def begin(self, recipe: Recipe, device: torch.device) -> TrainState:
        """The state before the first step of a recipe: to become, not to move, since the next training may begin there too.

        Raises:
            ValueError: network.weights cannot be read or does not fit the network.
        """
        wanted = without_numbers(recipe), recipe.training.seed, device
        if self._begun is None or self._begun[0] != wanted:
            self._begun = wanted, start_state(recipe, device)
        state = self._begun[1]
        state.optimizer.param_groups[0]["lr"] = recipe.optimizer.learning_rate
        state.seraena.optimizer.param_groups[0]["lr"] = recipe.losses.critic_learning_rate
        return state

    def prepare(self, recipe: Recipe, load: Callable[[], Perceptual | None], device: torch.device) -> None:
        """Compile the step of a recipe on noise: `find` will only have to capture it on its bank.

        Args:
            recipe: of the step.
            load: gives LPIPS on `device`, or None; called when other processes have begun to compile, for importing it takes
                seconds.
            device: of the step.
        """
        make_repeatable(device)
        fixed = without_numbers(recipe)
        mark = mark_of(recipe, fixed, device)
        later = parts_for_others(mark)
        with compiled_beside(recipe, later) as done:
            perceptual = load()
            with told_plainly():
                step = prepare_step(recipe, noise_feed(recipe, device), perceptual, weighted_names(recipe))
                compile_step(step, recipe, tuple(part for part in PARTS if part not in later))
                step()
                for part in done:
                    compile_step(step, recipe, (part,))
                    step()
        mark.touch()
        self._compiled = fixed, step

    def find(self, recipe: Recipe, bank: Bank, perceptual: Perceptual | None, device: torch.device) -> CapturedStep:
        """Return a captured step that serves a recipe, captured now if there is none yet.

        `device` becomes the process' current one: streams and graphs are made and replayed there.
        """
        if device.index is not None:
            torch.cuda.set_device(device)
        wanted = (bank, latents_dtype(recipe), recipe.training.batch_size)
        if self._feed is None or self._fed is None or self._fed[0] is not bank or self._fed[1:] != wanted[1:]:
            self._fed, self._feed, self._kept = wanted, open_feed_of(bank, recipe, device), []
        fixed, names = without_numbers(recipe), weighted_names(recipe)
        for others, captured in self._kept:
            if fixed == others and serves(captured.step.names, names):
                return captured
        step, self._compiled = self.take_compiled(fixed, perceptual, names), None
        if step is None:
            step = prepare_step(recipe, self._feed, perceptual, names)
            compile_step(step, recipe)
        step.feed = self._feed
        aim(step, recipe)
        with told_plainly():
            captured = CapturedStep(step, capture(step))
        self._kept.append((fixed, captured))
        return captured

    def take_compiled(
        self, fixed: dict[str, Any], perceptual: Perceptual | None, names: tuple[str, ...]
    ) -> DeviceStep | None:
        """The step that `prepare` has compiled, if it is the wanted one."""
        if self._compiled is None:
            return None
        others, step = self._compiled
        same_perceptual = (step.perceptual is None) == (perceptual is None)
        return step if fixed == others and same_perceptual and serves(step.names, names) else None


def weighted_names(recipe: Recipe) -> tuple[str, ...]:
    """The losses that a recipe gives a weight."""
    return tuple(name for name in LOSSES if getattr(recipe.losses, name) > 0)


def without_numbers(recipe: Recipe) -> dict[str, Any]:
    """The recipe's tables without everything in NUMBERS."""
    tables = recipe.model_dump(mode="json")
    for name in NUMBERS:
        table, key = name.split(".")
        del tables[table][key]
    return tables


def serves(captured: Iterable[str], wanted: Iterable[str]) -> bool:
    """Say whether a step captured with some losses can train with fewer: the others get weight 0."""
    reached = [set().union(*(REACHES[name] for name in names)) for names in (captured, wanted)]
    return set(wanted) <= set(captured) and reached[0] == reached[1]


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn what compiler and graph complain of into one line with a remedy; too little memory stays what it is.

    Raises:
        RuntimeError: the machine cannot compile or capture the step (no C compiler, say).
    """
    try:
        yield
    except Exception as error:
        # An error inside a capture makes the end of the capture fail as well; the first is the cause.
        cause = error.__context__ or error
        if isinstance(cause, torch.OutOfMemoryError):
            raise cause from None
        text = (str(cause).splitlines() or ["no text"])[0]
        raise RuntimeError(
            f"a step on CUDA must compile and be captured, but {type(cause).__name__}: {text}; "
            'mend that, or set training.execution = "eager", which is slower'
        ) from error


def prepare_step(recipe: Recipe, feed: Feed, perceptual: Perceptual | None, names: tuple[str, ...]) -> DeviceStep:
    """A step on a state of its own, with the controls of the first step of a recipe."""
    draws = draw(0, len(feed.clips), feed.clips.shape[1], recipe)
    step = DeviceStep(start_state(recipe, feed.clips.device), feed, recipe, perceptual, names, draws)
    aim(step, recipe)
    return step


def aim(step: DeviceStep, recipe: Recipe) -> None:
    """Give a step the controls of the first step of a recipe, on clips that its feed has."""
    draws = draw(0, len(step.feed.clips), step.feed.clips.shape[1], recipe)
    step.controls.set(0, draws.clips, draws, recipe)


def open_feed_of(bank: Bank, recipe: Recipe, device: torch.device) -> Feed:
    """The feed of a recipe."""
    return open_feed(bank, recipe.training.batch_size, device, latents_dtype=latents_dtype(recipe))


def noise_feed(recipe: Recipe, device: torch.device) -> Feed:
    """A batch of noise in the shapes of a recipe's clips."""
    generator = torch.Generator().manual_seed(0)
    clips, latents = (
        (recipe.training.batch_size, *clip_shape(recipe)),
        (recipe.training.batch_size, *latents_shape(recipe)),
    )
    noise = torch.randint(256, clips, dtype=torch.uint8, generator=generator), torch.randn(latents, generator=generator)
    return ResidentFeed(*noise, device, latents_dtype(recipe))


def compile_step(step: DeviceStep, recipe: Recipe, parts: Collection[str] = PARTS) -> None:
    """Have parts of a step compiled when it first runs."""
    compile_regions(step.regions, step.state.seraena.critic, recipe, parts)


def capture(step: DeviceStep) -> torch.cuda.CUDAGraph:
    """Run a step until nothing about it changes any more, then capture it; its state is used up by that."""
    graph, side = torch.cuda.CUDAGraph(), torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        step()  # with nothing beside it, while the compiler compares its kernels
        step.side.open(step.feed.clips.device)
        for _ in range(WARMUP_STEPS):
            step()
    torch.cuda.current_stream().wait_stream(side)
    for part in (*step.state.weights, step.state.seraena.weights):
        part.forget()
    # What another thread does on the device meanwhile (fresh clips are encoded beside the training) is none of the capture's.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        step()
    return graph
