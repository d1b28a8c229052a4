"""A training step that asks the host for nothing, so that a CUDA graph can hold it.

It does what `take_step` does (model/training/step.py, the reference that it is tested against), but its settings are tensors
(Controls), and a value that is not finite stops it without a word: from that step on nothing moves, and `read` says so.
"""

import copy
from dataclasses import replace

import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.perceptual import Perceptual
from model.network.replay import CriticDraws
from model.recipe import Recipe
from model.training.batches import Batch, Draws
from model.training.controls import Controls
from model.training.device_update import Vector, finish_step, settings_of, start_moments, start_readings, vector_of
from model.training.feed import Feed
from model.training.passes import autocast
from model.training.regions import Regions
from model.training.settings import LOSSES
from model.training.side_stream import SideStream
from model.training.state import TrainState, flatten_parts
from model.training.step import Forward, Step, differentiate, refuse_non_finite, run_forward


class DeviceStep:
    """One step on the tensors of a state; every call takes it again with what `controls` hold.

    Args:
        state: that moves.
        feed: where the clips lie.
        recipe: of which everything but the numbers in Controls stays as it is.
        perceptual: LPIPS on the device; needed where "perceptual" is among the names.
        names: of the losses that have a weight in some trial; the others are not computed.
        draws: of any step, for the shapes.

    Attributes:
        rounded: the model in bfloat16, where that is the precision: what the losses are computed with.
        regions: what a compiler made of its parts.
        readings: what the last step measured.
        side: where the critic works beside the network, once it is opened.
    """

    def __init__(
        self,
        state: TrainState,
        feed: Feed,
        recipe: Recipe,
        perceptual: Perceptual | None,
        names: tuple[str, ...],
        draws: Draws,
    ) -> None:
        device = feed.clips.device
        self.state, self.feed, self.perceptual, self.names = state, feed, perceptual, names
        self.regions = Regions()
        self.side = SideStream()
        # Autocast would round every weight in every pass, in a kernel each, and each gradient back.
        self.rounded = copy.deepcopy(state.model).bfloat16() if recipe.training.precision == "bfloat16" else None
        self.computed = flatten_parts(self.rounded) if self.rounded else None
        # A graph is recorded for every loss of these names, whatever weight it has in a trial.
        structure = recipe.losses.model_copy(update={name: float(name in names) for name in LOSSES})
        self.recipe = recipe.model_copy(update={"losses": structure})
        self.controls = Controls(draws, device)
        self.columns = torch.tensor([LOSSES.index(name) for name in names], device=device)
        self.readings = start_readings(len(names), device)
        for optimizer in (state.optimizer, state.seraena.optimizer):
            start_moments(optimizer)

    def __call__(self) -> None:
        """Take the step."""
        state, controls = self.state, self.controls
        batch = self.look_up()
        self.round_weights()
        computed = replace(state, model=self.rounded or state.model)
        forward = run_forward(computed, batch, self.recipe, self.perceptual, self.names, self.regions, self.side)
        losses = torch.stack([forward.losses[name] for name in self.names])
        total = (controls.loss_weights[self.columns] * losses).sum()
        with self.side.beside():
            critic_loss = self.learn_critic(forward, batch)
        norm = differentiate(total, state.weights, self.computed)
        self.side.rejoin()
        values = torch.cat([losses.detach(), torch.stack([total.detach(), norm, critic_loss])])
        network, critic = self.vectors(trained=forward.judged is not None)
        settings = settings_of(state.optimizer), settings_of(state.seraena.optimizer)
        finish = self.regions.finish or finish_step
        finish(self.readings, values, controls, network, critic, settings)

    def vectors(self, *, trained: bool) -> tuple[list[Vector], list[Vector]]:
        """What the step moves: the parts of the network that a loss reached, and the critic if it was trained."""
        state = self.state
        pairs = zip(state.weights, state.averaged, strict=True)
        parts = [vector_of(state.optimizer, part.values, average.values.detach()) for part, average in pairs]
        critic = [vector_of(state.seraena.optimizer, state.seraena.weights.values)] if trained else []
        return [part for part in parts if part], [part for part in critic if part]

    @torch.no_grad()
    def round_weights(self) -> None:
        """Bring the copy that the losses are computed with to where the weights are."""
        if self.computed is not None:
            for ours, theirs in zip(self.computed, self.state.weights, strict=True):
                ours.values.copy_(theirs.values)

    def learn_critic(self, forward: Forward, batch: Batch) -> Tensor:
        """Give the critic its gradient; its loss, or 0 where no loss needs it."""
        if forward.judged is None:
            return self.columns.new_zeros((), dtype=torch.float32)
        judged = forward.judged
        with autocast(batch.video.device, self.recipe.training.precision):
            return self.state.seraena.learn(judged.fake, judged.real, judged.context, batch.critic)

    def look_up(self) -> Batch:
        """The batch that the controls point at."""
        controls = self.controls
        return Batch(
            video=to_unit(self.feed.clips[controls.clips]),
            latents=self.feed.latents[controls.clips].float(),
            perceptual_frames=controls.perceptual_frames,
            critic=CriticDraws(controls.written, controls.replayed, controls.is_fake),
        )

    def read(self, learning_rate: float) -> tuple[Step, int]:
        """What the last step measured and how many steps were clipped since this was last asked; waits for the device.

        Raises:
            NonFiniteError: a step since the restart met a value that is not finite; nothing has moved from that step on.
        """
        readings = self.readings
        counts = torch.stack([readings.failed_step, readings.clipped]).double()
        *losses, total, norm, critic, failed_step, clipped = torch.cat([readings.measured.double(), counts]).tolist()
        measured = dict(zip(self.names, losses, strict=True))
        refuse_non_finite(measured | {"the gradient norm": norm}, int(failed_step))
        assert not failed_step, "a step halted although all that it measured is finite"
        readings.clipped.zero_()
        critic_loss = torch.tensor(critic) if "seraena" in self.names else None
        return Step(measured, total, norm, learning_rate, critic_loss, probes={}), int(clipped)
