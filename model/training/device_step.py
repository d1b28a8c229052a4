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
from model.training.feed import Feed
from model.training.passes import autocast
from model.training.settings import LOSSES
from model.training.side_stream import SideStream
from model.training.state import TrainState, flatten_parts
from model.training.step import Forward, Regions, Step, differentiate, refuse_non_finite, run_forward


class DeviceStep:
    """One step on the tensors of a state; every call takes it again with what `controls` hold.

    The learning rates of the state's optimizers become tensors of `controls`.

    Args:
        state: that moves.
        feed: where the clips lie.
        recipe: of which everything but the numbers in Controls stays as it is.
        perceptual: LPIPS on the device; needed where "perceptual" is among the names.
        names: of the losses that have a weight in some trial; the others are not computed.
        draws: of any step, for the shapes.

    Attributes:
        rounded: the model in bfloat16, where that is the precision: what the losses are computed with.
        regions: compiled parts, or None.
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
        self.regions: Regions | None = None
        self.side = SideStream()
        # Autocast would round every weight in every pass, in a kernel each, and each gradient back.
        self.rounded = copy.deepcopy(state.model).bfloat16() if recipe.training.precision == "bfloat16" else None
        self.computed = flatten_parts(self.rounded) if self.rounded else None
        # A graph is recorded for every loss of these names, whatever weight it has in a trial.
        structure = recipe.losses.model_copy(update={name: float(name in names) for name in LOSSES})
        self.recipe = recipe.model_copy(update={"losses": structure})
        self.controls = Controls(draws, device)
        self.columns = torch.tensor([LOSSES.index(name) for name in names], device=device)
        self.measured = torch.zeros(len(names) + 3, device=device)  # losses, their weighted sum, gradient norm, critic
        self.failed_step = torch.zeros((), dtype=torch.int64, device=device)
        self.clipped = torch.zeros((), dtype=torch.int64, device=device)
        self.halted = torch.zeros((), device=device)
        for optimizer, rate in (
            (state.optimizer, self.controls.learning_rate),
            (state.seraena.optimizer, self.controls.critic_learning_rate),
        ):
            optimizer.param_groups[0]["lr"] = rate
            optimizer.found_inf = self.halted  # type: ignore[attr-defined]  # torch's fused AdamW skips its step at 1

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
        self.judge(torch.cat([losses.detach(), total.detach()[None], norm[None]]))
        if critic_loss is not None:
            with self.side.beside():
                state.seraena.optimizer.step()
                self.measured[-1] = critic_loss
        # torch's own clipping takes its bound as a number of the host; the formula is the same, AdamW divides by it in passing.
        excess = ((norm + 1e-6) / controls.max_gradient_norm).clamp_min(1.0)
        state.optimizer.grad_scale = excess  # type: ignore[attr-defined]  # torch's fused AdamW reads it
        state.optimizer.step()
        state.optimizer.grad_scale = None  # type: ignore[attr-defined]  # eager steps clip by themselves
        self.join_average()
        self.side.rejoin()

    @torch.no_grad()
    def round_weights(self) -> None:
        """Bring the copy that the losses are computed with to where the weights are."""
        if self.computed is not None:
            for ours, theirs in zip(self.computed, self.state.weights, strict=True):
                ours.values.copy_(theirs.values)

    def learn_critic(self, forward: Forward, batch: Batch) -> Tensor | None:
        """Give the critic its gradient; its loss, or None where no loss needs it."""
        if forward.judged is None:
            return None
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

    def judge(self, values: Tensor) -> None:
        """Keep what was measured, and halt everything from the first step on whose values are not all finite."""
        halted_before = self.failed_step > 0
        still_sound = values.isfinite().all() & ~halted_before
        self.measured[:-1] = torch.where(halted_before, self.measured[:-1], values)
        self.failed_step.copy_(torch.where(still_sound | halted_before, self.failed_step, self.controls.step))
        self.halted.copy_(~still_sound)
        self.clipped += still_sound & (values[-1] > self.controls.max_gradient_norm)

    @torch.no_grad()
    def join_average(self) -> None:
        """Move the average towards the weights."""
        joining = self.controls.joining * (1 - self.halted)
        for average, weights in zip(self.state.averaged, self.state.weights, strict=True):
            average.values.lerp_(weights.values, joining)

    def read(self, learning_rate: float) -> tuple[Step, int]:
        """What the last step measured and how many steps were clipped since this was last asked; waits for the device.

        Raises:
            NonFiniteError: a step since the restart met a value that is not finite; nothing has moved from that step on.
        """
        counts = torch.stack([self.failed_step, self.clipped]).double()
        *losses, total, norm, critic, failed_step, clipped = torch.cat([self.measured.double(), counts]).tolist()
        measured = dict(zip(self.names, losses, strict=True))
        refuse_non_finite(measured | {"the gradient norm": norm}, int(failed_step))
        assert not failed_step, "a step halted although all that it measured is finite"
        self.clipped.zero_()
        critic_loss = torch.tensor(critic) if "seraena" in self.names else None
        return Step(measured, total, norm, learning_rate, critic_loss, probes={}), int(clipped)

    def restart(self) -> None:
        """Forget what was measured, for another training."""
        for tensor in (self.measured, self.failed_step, self.clipped, self.halted):
            tensor.zero_()
