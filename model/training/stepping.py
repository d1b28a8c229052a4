"""Two ways to take the steps of a training: eager on every device, captured on CUDA."""

import time
from typing import Protocol

import torch

from model.bank import Bank
from model.evaluation.perceptual import Perceptual
from model.ranks import ALONE, Ranks
from model.recipe import Recipe
from model.training.batches import draw, take_batch
from model.training.capture import CapturedStep, Captures
from model.training.device import make_repeatable
from model.training.state import TrainState
from model.training.step import Step, take_step


class Stepping(Protocol):
    """Takes steps and says what the last one measured; `state` is what moves, and its tally is kept but for the time."""

    state: TrainState

    def show(self, bank: Bank) -> None:
        """Have the steps from now on see other training clips, as many and of the same shape."""

    def take(self, *, probe: bool) -> None:
        """Take one step, with a probe or without.

        Raises:
            NonFiniteError: a loss or the gradient is not finite; a captured step says so at `read`.
        """

    def read(self) -> Step:
        """What the last step measured; waits for the device.

        Raises:
            NonFiniteError: since the last reading a loss or the gradient was not finite; nothing has moved from there on.
        """


def start_stepping(
    state: TrainState,
    recipe: Recipe,
    bank: Bank,
    perceptual: Perceptual | None,
    device: torch.device,
    captures: Captures,
) -> Stepping:
    """Go on from a state in the way that training.execution asks for.

    Raises:
        ValueError: captured steps without CUDA.
    """
    make_repeatable(device)
    if not is_captured(recipe, device, state.ranks):
        return EagerSteps(state, recipe, bank, perceptual, device)
    captured = captures.find(recipe, bank, perceptual, device)
    return CapturedSteps(captured, state, recipe, bank, perceptual, device)


def is_captured(recipe: Recipe, device: torch.device, ranks: Ranks = ALONE) -> bool:
    """Say whether steps on a device are to be captured; those of several ranks are not, since a captured step sends nothing.

    Raises:
        ValueError: they are, and the device has no CUDA.
    """
    execution = recipe.training.execution
    if execution == "captured" and device.type != "cuda":
        raise ValueError(
            f'training.execution = "captured" needs CUDA, but the device is {device}; set training.execution = "auto"'
        )
    return execution != "eager" and device.type == "cuda" and ranks.alone


class EagerSteps:
    """Steps that Python leads, kernel by kernel: the reference."""

    def __init__(
        self, state: TrainState, recipe: Recipe, bank: Bank, perceptual: Perceptual | None, device: torch.device
    ) -> None:
        self.state, self._recipe, self._bank = state, recipe, bank
        self._perceptual, self._device = perceptual, device
        self._last: Step | None = None

    def show(self, bank: Bank) -> None:
        """Take the clips of the next steps from this bank."""
        self._bank = bank

    def take(self, *, probe: bool) -> None:
        """Take one step."""
        started = time.perf_counter()
        batch = take_batch(self._bank, self.state.step, self._recipe, self._device, self.state.ranks)
        self.state.tally.waited_s += time.perf_counter() - started
        self._last = take_step(self.state, batch, self._recipe, self._perceptual, probe=probe)
        self.state.tally.clipped += 0 < self._recipe.optimizer.max_gradient_norm < self._last.gradient_norm

    def read(self) -> Step:
        """What the last step measured."""
        assert self._last is not None, "nothing was taken"
        return self._last


class CapturedSteps:
    """Replays of a captured step; those with a probe are eager ones on the same tensors.

    Losses without a weight are measured with the probes alone.
    """

    def __init__(
        self,
        captured: CapturedStep,
        state: TrainState,
        recipe: Recipe,
        bank: Bank,
        perceptual: Perceptual | None,
        device: torch.device,
    ) -> None:
        self._step, self._graph, self._recipe = captured.step, captured.graph, recipe
        self._feed = captured.step.feed
        self._shown = bank
        self._feed.renew(bank.training, bank.training_latents)  # an earlier training may have left other clips there
        self._eager = EagerSteps(captured.step.state, recipe, bank, perceptual, device)
        self._clips, self._frames = bank.training.shape[:2]
        self._probed = False
        self._learning_rate = 0.0
        self.state = captured.step.state
        self.state.become(state)
        captured.step.readings.restart()
        self._draws = draw(self.state.step, self._clips, self._frames, recipe)

    def show(self, bank: Bank) -> None:
        """Bring other clips to where the graph reads them."""
        if bank is not self._shown:
            self._shown = bank
            self._eager.show(bank)
            self._feed.renew(bank.training, bank.training_latents)
            self._feed.prefetch(self._draws.clips)

    def take(self, *, probe: bool) -> None:
        """Queue one step, or take one with a probe."""
        if probe:
            self.read()  # a training that halted must not move again
            self._eager.take(probe=True)
        else:
            self._replay()
        self._probed = probe
        self._draws = draw(self.state.step, self._clips, self._frames, self._recipe)
        self._feed.prefetch(self._draws.clips)

    def _replay(self) -> None:
        state, waited_s = self.state, self._feed.wait_s
        places = self._feed.place(self._draws.clips)
        state.tally.waited_s += self._feed.wait_s - waited_s
        self._learning_rate = self._step.controls.set(state.step, places, self._draws, self._recipe)
        self._graph.replay()
        state.step += 1
        state.drift.add(self._learning_rate)
        state.seraena.ring.grow(len(self._draws.critic.written))

    def read(self) -> Step:
        """What the last step measured."""
        step, clipped = self._step.read(self._learning_rate)
        self.state.tally.clipped += clipped
        return self._eager.read() if self._probed else step
