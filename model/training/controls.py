"""The numbers that change between steps and between trials, on the device at addresses that never change."""

import torch
from torch import Tensor

from model.network.critic import CRITIC_BETAS
from model.recipe import Recipe
from model.training.average import average_decay
from model.training.batches import Draws
from model.training.schedules import multiplier
from model.training.settings import LOSSES


class Controls:
    """What a captured step reads instead of settings, so that one capture serves every step of every trial.

    Attributes:
        loss_weights: float32, one for each of LOSSES.
        max_gradient_norm: 0-dim, infinity where there is no clipping.
        learning_rate: 0-dim, of the step.
        critic_learning_rate: 0-dim.
        corrections: [2], 1 - beta^step for both betas of the network's AdamW; critic_corrections: for the critic's.
        joining: 0-dim, the weight with which the step's weights join their average.
        step: 0-dim int64, the number of the step, from 1.
        clips, perceptual_frames, written, replayed: int64, and is_fake, bool: the step's Draws, clips as places in the feed.
    """

    def __init__(self, draws: Draws, device: torch.device) -> None:
        self._numbers = torch.zeros(len(LOSSES) + 8, device=device)
        self.loss_weights, self.corrections, self.critic_corrections, others = self._numbers.split(
            [len(LOSSES), 2, 2, 4]
        )
        self.max_gradient_norm, self.learning_rate, self.critic_learning_rate, self.joining = others
        choices = integers(draws.clips, draws, 0)
        self._integers = torch.zeros(sum(map(len, choices)), dtype=torch.int64, device=device)
        self.clips, self.perceptual_frames, self.written, self.replayed, self._coins, steps = self._integers.split(
            [len(choice) for choice in choices]
        )
        self.step = steps[0]

    @property
    def is_fake(self) -> Tensor:
        """The critic's coins."""
        return self._coins != 0

    def set(self, step: int, places: Tensor, draws: Draws, recipe: Recipe) -> float:
        """Send everything for the step that follows `step` finished ones, and return its learning rate.

        The device takes it over in the order of its stream: what was queued before still reads the old values.
        """
        numbers, learning_rate = floats(step, recipe)
        send(numbers, self._numbers)
        send(torch.cat(integers(places, draws, step)), self._integers)
        return learning_rate


def floats(step: int, recipe: Recipe) -> tuple[Tensor, float]:
    """Values of Controls, and the learning rate among them."""
    horizon, optimizer = recipe.training.steps, recipe.optimizer
    learning_rate = optimizer.learning_rate * multiplier(step, horizon, recipe.schedule)
    decay = average_decay(step + 1, horizon, recipe.training.average_share)
    values = [
        *(getattr(recipe.losses, name) for name in LOSSES),
        *(1 - beta ** (step + 1) for beta in (optimizer.beta1, optimizer.beta2, *CRITIC_BETAS)),
        optimizer.max_gradient_norm or torch.inf,
        learning_rate,
        recipe.losses.critic_learning_rate,
        1 - decay,
    ]
    return torch.tensor(values, dtype=torch.float32), learning_rate


def integers(places: Tensor, draws: Draws, step: int) -> list[Tensor]:
    """Choices of Controls, int64."""
    critic = draws.critic
    return [
        places,
        draws.perceptual_frames,
        critic.written,
        critic.replayed,
        critic.is_fake.long(),
        torch.tensor([step + 1]),
    ]


def send(values: Tensor, place: Tensor) -> None:
    """Copy to the device without waiting for it."""
    # Pinned memory that a queued copy still reads is not handed out again: the allocator keeps track of it.
    place.copy_(values.pin_memory() if place.is_cuda else values, non_blocking=True)
