"""One optimisation step."""

import math
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from model.evaluation.perceptual import Perceptual
from model.network.critic import group_context, group_frames
from model.network.flat import FlatParameters
from model.ranks import ALONE, Ranks
from model.recipe import Recipe
from model.training.average import average_decay, update_average
from model.training.batches import Batch
from model.training.inputs import watch_input
from model.training.losses import measure_losses, weigh
from model.training.passes import Passes, autocast, made, run_passes
from model.training.perceptual_loss import compare_frames, describe_targets, perceptual_loss
from model.training.probes import probe_forward, probe_update, read_probes
from model.training.regions import Regions
from model.training.schedules import multiplier
from model.training.settings import LOSSES
from model.training.side_stream import SideStream
from model.training.state import TrainState


class NonFiniteError(RuntimeError):
    """A loss or the gradient of a step is NaN or infinite, raised before any weight moved; or the output of its evaluation is.

    Of several ranks all meet the former, and the first alone the latter (`of_evaluation`).
    """

    def __init__(self, message: str, step: int, *, of_evaluation: bool = False) -> None:
        super().__init__(message)
        self.step, self.of_evaluation = step, of_evaluation


@dataclass(frozen=True)
class Step:
    """What one step measured.

    Attributes:
        losses: unweighted, before the weights moved.
        total: their weighted sum.
        gradient_norm: of all weights together, before clipping.
        learning_rate: that the step was taken with.
        critic_loss: 0-dim; None where the critic was not trained.
        probes: what model.training.probes measures, by its name in the record; empty where not asked for.
    """

    losses: dict[str, float]
    total: float
    gradient_norm: float
    learning_rate: float
    critic_loss: Tensor | None
    probes: dict[str, float]


@dataclass(frozen=True)
class Judged:
    """What the critic is shown of a batch, in groups of frames as it sees them, without a graph.

    Attributes:
        fake: passes.decoded.
        real: the frames.
        context: latents for each group.
    """

    fake: Tensor
    real: Tensor
    context: Tensor


@dataclass(frozen=True)
class Forward:
    """What a step computes before anything moves.

    Attributes:
        passes: what the network makes of the batch.
        losses: unweighted, 0-dim, with a graph where they have a weight.
        judged: by the critic; None without the seraena loss.
    """

    passes: Passes
    losses: dict[str, Tensor]
    judged: Judged | None


def run_forward(
    state: TrainState,
    batch: Batch,
    recipe: Recipe,
    perceptual: Perceptual | None,
    names: Sequence[str] = LOSSES,
    regions: Regions | None = None,
    side: SideStream | None = None,
) -> Forward:
    """Run network and critic as far as the losses of these names need it; nothing moves.

    Without compiled regions the parts run as they stand in Python, without a side stream one after the other.
    """
    weights, precision, device = recipe.losses, recipe.training.precision, batch.video.device
    regions, side = regions or Regions(), side or SideStream()
    wanted, judged, corrected, perceived = None, None, None, None
    with side.beside():
        if perceptual is not None and "perceptual" in names:
            wanted = (regions.describe or describe_targets)(perceptual, batch)
        if "seraena" in names:
            real = group_frames(batch.video, weights.critic_group_frames)
            context = group_context(batch.latents, len(real) // len(batch.video))
            with autocast(device, precision):
                scores = state.seraena.score(real, context)
    passes = run_passes(state.model, batch, weights, precision, names, regions.encode, regions.decode)
    side.rejoin()
    if "seraena" in names:
        judged = Judged(group_frames(made(passes.decoded).detach(), weights.critic_group_frames), real, context)
        with side.beside(), autocast(device, precision):
            corrected = state.seraena.correct(judged.fake, scores, context)
    if perceptual is not None and wanted is not None:
        perceived = perceptual_loss(
            perceptual,
            made(passes.reconstruction),
            batch,
            wanted,
            weights.perceptual,
            regions.compare or compare_frames,
        )
    side.rejoin()
    losses = (regions.losses or measure_losses)(passes, batch, corrected, perceived, weights, names)
    return Forward(passes, losses, judged)


def train_critic(state: TrainState, judged: Judged, batch: Batch, precision: str) -> Tensor:
    """Train the critic once on what it was shown; its loss before that, 0-dim."""
    with autocast(batch.video.device, precision):
        return state.seraena.step(judged.fake, judged.real, judged.context, batch.critic)


def take_step(state: TrainState, batch: Batch, recipe: Recipe, perceptual: Perceptual | None, *, probe: bool) -> Step:
    """Move the model, its average and the critic by one step.

    Losses and gradient norm are read to the host once, before the optimizer: the only wait for the device in a step. A
    step with a probe waits once more, at its end.

    Raises:
        NonFiniteError: a loss or the gradient norm is not finite; nothing has moved then.
    """
    seen: list[Tensor] = []
    with watch_input(state.model, seen) if probe else nullcontext():
        forward = run_forward(state, batch, recipe, perceptual)
    losses = forward.losses
    weighted = weigh(losses, recipe.losses)
    total = torch.stack(list(weighted.values())).sum()
    probes = probe_forward(seen[0], forward.passes, batch, weighted, state.model, state.ranks) if probe else {}
    norm = differentiate(total, state.weights, ranks=state.ranks)

    # A value that is not finite on one rank is none on all of them, so that all stop here.
    *values, total_value, norm_value = state.ranks.average_(torch.stack([*losses.values(), total, norm])).tolist()
    measured = dict(zip(losses, values, strict=True))
    refuse_non_finite(measured | {"the gradient norm": norm_value}, state.step + 1)

    if recipe.optimizer.max_gradient_norm > 0:
        moved = [part.values for part in state.weights]
        torch.nn.utils.clip_grads_with_norm_(moved, recipe.optimizer.max_gradient_norm, norm)
    learning_rate = set_learning_rate(state, recipe)
    state.optimizer.step()
    state.step += 1
    state.drift.add(learning_rate)
    decay = average_decay(state.step, recipe.training.steps, recipe.training.average_share)
    update_average([part.values for part in state.averaged], [part.values for part in state.weights], decay)
    assert forward.judged is not None
    critic_loss = train_critic(state, forward.judged, batch, recipe.training.precision)
    if probe:
        probes |= probe_update(state)
    read = read_probes(probes, batch.video.device)
    return Step(measured, total_value, norm_value, learning_rate, critic_loss, read)


def differentiate(
    total: Tensor,
    weights: Sequence[FlatParameters],
    computed: Sequence[FlatParameters] | None = None,
    ranks: Ranks = ALONE,
) -> Tensor:
    """Give weights the gradient of a loss, gathered and averaged over the ranks; its norm over all of them, 0-dim.

    Args:
        total: the loss.
        weights: of the parts of a network.
        computed: copies of the same parts that the loss was computed with; None: the parts themselves.
        ranks: that have a loss each, of their equal parts of a batch.
    """
    for part in (*weights, *(computed or ())):
        part.forget()
    total.backward()
    for part, source in zip(weights, computed or weights, strict=True):
        part.gather(source)
        if part.values.grad is not None:
            ranks.average_(part.values.grad)
    return torch.nn.utils.get_total_norm([part.values.grad for part in weights if part.values.grad is not None])


def set_learning_rate(state: TrainState, recipe: Recipe) -> float:
    """Give the optimizer the rate of the coming step and return it."""
    share = multiplier(state.step, recipe.training.steps, recipe.schedule)
    learning_rate = recipe.optimizer.learning_rate * share
    for group in state.optimizer.param_groups:
        group["lr"] = learning_rate
    return learning_rate


def refuse_non_finite(values: dict[str, float], step: int) -> None:
    """Raise NonFiniteError when a value is NaN or infinite, naming each that is."""
    bad = [f"{name} = {value}" for name, value in values.items() if not math.isfinite(value)]
    if bad:
        raise NonFiniteError(
            f"losses and gradient must be finite, but at step {step} {', '.join(bad)}; the weights of step {step - 1} "
            "are intact: lower optimizer.learning_rate, or look for damaged clips or latents",
            step,
        )
