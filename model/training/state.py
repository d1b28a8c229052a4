"""All that a training is at one step, and how it starts."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from model.network.critic import Seraena
from model.network.flat import FlatParameters
from model.network.placement import place
from model.network.replay import ring_capacity
from model.network.taehv import TAEHV
from model.network.variants import architecture
from model.network.weights import load_weights
from model.ranks import ALONE, Ranks
from model.recipe import Recipe
from model.training.average import start_average
from model.training.drift import Drift, start_drift


@dataclass
class Tally:
    """Counts since the last measurement: steps, clipped ones among them, seconds they took, and waited for their clips."""

    steps: int = 0
    clipped: int = 0
    seconds: float = 0.0
    waited_s: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one step."""
        self.steps += 1
        self.seconds += seconds


@dataclass
class TrainState:
    """What changes during a training.

    What chance decides needs no state but `step`; the critic's optimizer and replay ring are inside `seraena`.

    Attributes:
        weights: the parameters of `model`, which `optimizer` moves: of the encoder and of the decoder, because a loss may reach
            one of them alone.
        averaged: those of `average`.
        ranks: the processes that hold this state, each the same; no part of it.
    """

    model: TAEHV
    average: TAEHV
    weights: list[FlatParameters]
    averaged: list[FlatParameters]
    optimizer: torch.optim.AdamW
    seraena: Seraena
    drift: Drift
    ranks: Ranks = ALONE
    step: int = 0
    tally: Tally = field(default_factory=Tally)

    def state_dict(self) -> dict[str, Any]:
        """Tensors, numbers and texts only, so that it is read back without unpickling code."""
        return {
            "model": self.model.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "seraena": self.seraena.state_dict(),
            "drift": self.drift.state_dict(),
            "step": self.step,
            "tally": asdict(self.tally),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over every value of a `state_dict()` of the same settings."""
        self.model.load_state_dict(state["model"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.seraena.load_state_dict(state["seraena"])
        self.drift.load_state_dict(state["drift"])
        self.step = state["step"]
        self.tally = Tally(**state["tally"])

    def become(self, other: "TrainState") -> None:
        """Take over another state of the same shapes in place: the tensors of networks and optimizers stay where they are.

        The other one stays what it is when this one moves.
        """
        with torch.no_grad():
            for ours, theirs in zip(self.weights + self.averaged, other.weights + other.averaged, strict=True):
                ours.values.copy_(theirs.values)
        self.seraena.critic.load_state_dict(other.seraena.critic.state_dict())
        self.seraena.ring.load_state_dict(other.seraena.ring.state_dict())
        take_over(other.optimizer, self.optimizer)
        take_over(other.seraena.optimizer, self.seraena.optimizer)
        self.drift, self.step, self.tally = replace(other.drift), other.step, replace(other.tally)


def take_over(source: torch.optim.AdamW, target: torch.optim.AdamW) -> None:
    """Give an optimizer the learning rate of another one, and its moments and counters in place, zeros where it has none yet."""
    target.param_groups[0]["lr"] = source.param_groups[0]["lr"]
    pairs = zip(source.param_groups[0]["params"], target.param_groups[0]["params"], strict=True)
    for theirs, ours in pairs:
        for name, tensor in target.state[ours].items():
            given = source.state[theirs].get(name)
            tensor.zero_() if given is None else tensor.copy_(given)


def start_state(recipe: Recipe, device: torch.device, ranks: Ranks = ALONE) -> TrainState:
    """Return the state before the first step: fresh weights from the seed, or those of network.weights.

    Raises:
        ValueError: network.weights cannot be read or does not fit the network.
    """
    seed, losses, adamw = recipe.training.seed, recipe.losses, recipe.optimizer
    model = TAEHV(recipe.network, seed)
    if recipe.network.weights:
        load_weights(model, Path(recipe.network.weights))
    place(model, device)
    average = start_average(model)
    weights, averaged = flatten_parts(model), flatten_parts(average)
    return TrainState(
        model=model,
        average=average,
        weights=weights,
        averaged=averaged,
        optimizer=torch.optim.AdamW(
            [part.values for part in weights],
            lr=adamw.learning_rate,
            betas=(adamw.beta1, adamw.beta2),
            weight_decay=adamw.weight_decay,
            fused=True,
        ),
        seraena=Seraena(
            *critic_shapes(recipe),
            width=losses.critic_width,
            learning_rate=losses.critic_learning_rate,
            replay_bytes=losses.replay_mib * 2**20,
            seed=seed,
            device=device,
            ranks=ranks,
        ),
        drift=start_drift(model),
        ranks=ranks,
    )


def flatten_parts(model: TAEHV) -> list[FlatParameters]:
    """Put the parameters of the encoder into one vector, and those of the decoder into another."""
    return [FlatParameters(part) for part in (model.encoder, model.decoder)]


def critic_shapes(recipe: Recipe) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
    """Shapes CHW of what the critic judges at once (a group of frames) and of its context (a latent)."""
    side_px, shape = recipe.data.crop_px, architecture(recipe.network)
    places = side_px // shape.space_stride
    return (3 * recipe.losses.critic_group_frames, side_px, side_px), (shape.latent_channels, places, places)


def replay_capacity(recipe: Recipe) -> int:
    """Rows of the critic's replay ring.

    Raises:
        ValueError: losses.replay_mib is too small for one.
    """
    return ring_capacity(recipe.losses.replay_mib * 2**20, *critic_shapes(recipe))
