"""Seraena: a critic that tells decoded frames from real ones, and the corrected targets that follow from its gradient.

Source of architecture and formulas: madebyollin/seraena.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.network.flat import FlatParameters
from model.network.placement import place
from model.network.replay import CriticDraws, ReplayRing
from model.network.shared_batch_norm import SharedBatchNorm
from model.ranks import ALONE, Ranks

#: Output channels and stride of the six blocks at width 1.
BLOCKS = ((64, 1), (128, 2), (256, 2), (512, 2), (512, 1), (512, 1))
SCORE_STRIDE = 8  # every block's score map is averaged to 1/8 of the image
CRITIC_BETAS = (0.9, 0.99)  # of the critic's AdamW; the author's, as its weight decay
CORRECTION_FLOOR = 1e-5  # the author's; gradients far below it switch the correction off


class Critic(nn.Module):
    """Six convolution blocks, each with a score head of its own; higher scores mean "fake".

    Parameters at width 1: 7,481,088 for 3 image and 4 context channels, 7,491,456 for 9 and 16.
    """

    def __init__(
        self, image_channels: int, context_channels: int, width: float, seed: int, ranks: Ranks = ALONE
    ) -> None:
        super().__init__()
        inputs = [image_channels + context_channels, *(max(round(channels * width), 1) for channels, _ in BLOCKS)]
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.blocks = nn.Sequential(
                *(
                    block(before, after, stride, ranks)
                    for before, after, (_, stride) in zip(inputs, inputs[1:], BLOCKS, strict=False)
                )
            )
            self.proj = nn.ModuleList(nn.Conv2d(channels, 1, 1, bias=False) for channels in inputs[1:])

    def forward(self, images: Tensor, context: Tensor) -> Tensor:
        """Score NCHW images in [0, 1] beside their NChw context (any smaller size): N x 6 x H/8 x W/8, float32."""
        height, width = images.shape[-2:]
        x = torch.cat([2 * images - 1, F.interpolate(context, (height, width)).to(images.dtype)], 1)
        scores = []
        for layers, head in zip(self.blocks, self.proj, strict=True):
            x = layers(x)
            # A score is linear in the features: averaged first, only few of them are left to score.
            scores.append(head(F.avg_pool2d(x, SCORE_STRIDE * x.shape[-1] // width)).float())
        return torch.cat(scores, 1)


def block(inputs: int, outputs: int, stride: int, ranks: Ranks) -> nn.Sequential:
    """Convolution (3x3, or 4x4 where it halves the size), batch norm, ReLU."""
    size = 4 if stride == 2 else 3
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(outputs) if ranks.alone else SharedBatchNorm(outputs, ranks),
        nn.ReLU(inplace=True),
    )


class Seraena:
    """Trains the critic and makes corrected targets; owns the critic's optimizer and replay ring.

    Images are NCHW in [0, 1] (unclamped fakes are welcome), contexts NChw. Works in float32, and in bfloat16 autocast
    when the caller opens it. With several ranks each is given its part of a batch; the draws are those of the whole, and so
    is the ring, which every rank holds: what is kept does not depend on their number.
    """

    def __init__(
        self,
        image_shape: Sequence[int],
        context_shape: Sequence[int],
        width: float,
        learning_rate: float,
        replay_bytes: int,
        seed: int,
        device: torch.device,
        ranks: Ranks = ALONE,
    ) -> None:
        self.ranks = ranks
        self.critic = Critic(image_shape[0], context_shape[0], width, seed, ranks)
        place(self.critic, device)
        self.weights = FlatParameters(self.critic)
        self.optimizer = torch.optim.AdamW(
            [self.weights.values],
            learning_rate,
            betas=CRITIC_BETAS,
            weight_decay=0.01,
            fused=True,
        )
        self.ring = ReplayRing(replay_bytes, image_shape, context_shape, device)

    def step(self, fake: Tensor, real: Tensor, context: Tensor, draws: CriticDraws) -> Tensor:
        """Train the critic once and return its loss before that."""
        loss = self.learn(fake, real, context, draws)
        self.optimizer.step()
        return loss

    def learn(self, fake: Tensor, real: Tensor, context: Tensor, draws: CriticDraws) -> Tensor:
        """Give the critic its gradient by least squares, fake to +1 and real to -1; its weights stay for the optimizer.

        Each sample is real or fake by the toss of a coin; half of the fakes are the current ones, half replayed.

        Returns:
            The critic's loss over all ranks, 0-dim, on the device.
        """
        real, context = real.detach(), context.detach()
        fake, fake_context = self.ranks.gather(fake.detach().to(real.dtype)), self.ranks.gather(context)
        self.ring.add(fake, fake_context, draws.written)
        current, own = len(fake) - len(fake) // 2, self.ranks.slice_of(len(fake))
        replayed, replayed_context = self.ring.draw(draws.replayed)
        fakes = torch.cat([fake[:current], replayed])[own]
        fake_contexts = torch.cat([fake_context[:current], replayed_context])[own]
        is_fake = draws.is_fake[own].view(-1, 1, 1, 1)
        self.critic.train()
        with torch.enable_grad():
            scores = self.critic(torch.where(is_fake, fakes, real), torch.where(is_fake, fake_contexts, context))
            loss = F.mse_loss(scores, (2 * is_fake.to(scores.dtype) - 1).expand_as(scores))
        self.weights.forget()
        loss.backward()
        self.weights.gather()
        assert self.weights.values.grad is not None
        self.ranks.average_(self.weights.values.grad)
        return self.ranks.average_(loss.detach())

    @torch.no_grad()
    def score(self, images: Tensor, context: Tensor) -> Tensor:
        """The critic's scores of images; its running statistics take no notice."""
        self.critic.eval()
        return self.critic(images.detach().float(), context.detach())

    def correct(self, fake: Tensor, wanted: Tensor, context: Tensor) -> Tensor:
        """Return the fakes moved against the critic's gradient, float32, detached: the target of the generator.

        `wanted` are the scores of the real images. With L = mean over maps of (wanted - D(fake + c))^2 per sample,
        c* = -dL/dc at 0 over (its standard deviation in the whole batch + 1e-5): its RMS is 1 wherever the gradients
        exceed that floor.
        """
        fake, context = fake.detach().float(), context.detach()
        self.critic.eval()
        # A compiled critic would compute the gradients of its weights too, were they not frozen meanwhile.
        self.critic.requires_grad_(False)
        with torch.enable_grad():
            moved = fake.detach().requires_grad_(True)  # the gradient for a correction of 0 is that for the fake itself
            distance = (self.critic(moved, context) - wanted).square().mean((1, 2, 3)).sum()
            (gradient,) = torch.autograd.grad(distance, moved)
        self.critic.requires_grad_(True)
        return fake - gradient / (self.ranks.std(gradient) + CORRECTION_FLOOR)

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on; loads with weights_only=True."""
        return {
            "critic": self.critic.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "ring": self.ring.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a state_dict() of the same settings."""
        self.critic.load_state_dict(state["critic"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.ring.load_state_dict(state["ring"])


def group_frames(video: Tensor, group: int) -> Tensor:
    """Stack each `group` consecutive frames as channels, so that the critic sees motion.

    Args:
        video: NTCHW; the first frames are put before it once more where T is no multiple of `group`.
        group: frames per sample.

    Returns:
        (N G) (group C) H W with G = ceil(T / group), the groups of a clip one after the other.

    Raises:
        ValueError: a group is longer than the clip.
    """
    frames = video.shape[1]
    count_groups(frames, group)
    padded = torch.cat([video[:, : -frames % group], video], 1)
    return padded.unflatten(1, (-1, group)).flatten(2, 3).flatten(0, 1)


def count_groups(frames: int, group: int) -> int:
    """How many samples of `group` frames a clip makes.

    Raises:
        ValueError: a group is longer than the clip.
    """
    if group > frames:
        raise ValueError(
            f"losses.critic_group_frames must be at most the {frames} frames of a clip, but is {group}; lower it"
        )
    return -(-frames // group)


def group_context(latents: Tensor, groups: int) -> Tensor:
    """Give each of a clip's `groups` samples the clip's mean latent: NTCHW -> (N groups) C H W."""
    return latents.mean(1).repeat_interleave(groups, 0)
