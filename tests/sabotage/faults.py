"""Faults, each planted alone into the project's real functions, with the code that must be the first finding."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from model.data.pixels import to_unit
from model.data.split import split
from model.network.critic import Seraena
from model.network.reference.pca import PcaReference
from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV
from model.network.weights import save_weights
from model.training.schedules import multiplier
from model.training.settings import LOSSES
from model.training.state import TrainState

Patch = pytest.MonkeyPatch
Change = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Fault:
    """A mistake that somebody could make.

    Attributes:
        name: what was done, for the table.
        code: of the first finding.
        plant: makes the mistake; is given a folder of its own.
        settings: that belong to it, or that alone are the mistake.
        own_bank: whether it spoils the bank, so that it must not share one.
    """

    name: str
    code: str
    plant: Callable[[Patch, Path], None] = lambda _patch, _folder: None
    settings: tuple[str, ...] = ()
    own_bank: bool = False


FAULTS: list[Fault] = []


def fault(
    name: str, code: str, *settings: str, own_bank: bool = False
) -> Callable[[Callable[[Patch, Path], None]], None]:
    """Register a function that plants a fault."""

    def register(plant: Callable[[Patch, Path], None]) -> None:
        FAULTS.append(Fault(name, code, plant, settings, own_bank))

    return register


# Range of the frames.


def scale_frames(patch: Patch, module: str, change: Change) -> None:
    patch.setattr(f"{module}.to_unit", lambda frames: change(to_unit(frames)))


TRAINING, EVALUATION = "model.training.batches", "model.evaluation.evaluation"


@fault("training divides by 255 twice", "data.double_normalised")
def _(patch: Patch, _folder: Path) -> None:
    scale_frames(patch, TRAINING, lambda video: video / 255)


@fault("evaluation divides by 255 twice", "data.double_normalised")
def _(patch: Patch, _folder: Path) -> None:
    scale_frames(patch, EVALUATION, lambda video: video / 255)


@fault("the losses' targets are divided by 255 again", "data.double_normalised")
def _(patch: Patch, _folder: Path) -> None:
    change_targets(patch, lambda video: video / 255)


@fault("training frames in [-1, 1]", "data.signed_range")
def _(patch: Patch, _folder: Path) -> None:
    scale_frames(patch, TRAINING, lambda video: 2 * video - 1)


@fault("evaluation frames in [-1, 1]", "data.signed_range")
def _(patch: Patch, _folder: Path) -> None:
    scale_frames(patch, EVALUATION, lambda video: 2 * video - 1)


@fault("training frames in [0, 255]", "data.out_of_range")
def _(patch: Patch, _folder: Path) -> None:
    scale_frames(patch, TRAINING, lambda video: 255 * video)


@fault("training frames less ImageNet's mean over its deviation", "data.out_of_range")
def _(patch: Patch, _folder: Path) -> None:
    mean, std = (torch.tensor(numbers).view(3, 1, 1) for numbers in ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]))
    scale_frames(patch, TRAINING, lambda video: (video - mean) / std)


@fault("training frames at a third of their contrast", "data.out_of_range")
def _(patch: Patch, _folder: Path) -> None:
    scale_frames(patch, TRAINING, lambda video: video / 3 + 1 / 3)


@fault("training frames have red and blue swapped", "data.out_of_range")
def _(patch: Patch, _folder: Path) -> None:
    scale_frames(patch, TRAINING, lambda video: video.flip(-3))


@fault("evaluation frames have red and blue swapped", "data.out_of_range")
def _(patch: Patch, _folder: Path) -> None:
    scale_frames(patch, EVALUATION, lambda video: video.flip(-3))


# Split and alignment.


@fault("validation videos are trained on as well", "data.leak", own_bank=True)
def _(patch: Patch, _folder: Path) -> None:
    def leaky(videos: Any, share: float) -> Any:
        training, validation, copies = split(videos, share)
        return (*training, *validation), validation, copies

    patch.setattr("model.data.clips.split", leaky)


@fault("targets are three frames late", "frames.misaligned")
def _(patch: Patch, _folder: Path) -> None:
    change_targets(patch, lambda video: video.roll(-3, dims=1))


@fault("targets are one frame early", "frames.misaligned")
def _(patch: Patch, _folder: Path) -> None:
    change_targets(patch, lambda video: video.roll(1, dims=1))


@fault("evaluation compares with frames three later", "frames.misaligned")
def _(patch: Patch, _folder: Path) -> None:
    from model.evaluation import evaluation

    measure = evaluation.measure

    def late(reconstruct: Change, target: Tensor, perceptual: Any) -> Any:
        return measure(lambda video: reconstruct(video).roll(3, dims=1), target, perceptual)

    patch.setattr(evaluation, "measure", late)


# Reference.


@fault("the reference is replaced by noise", "reference.suspect", own_bank=True)
def _(patch: Patch, _folder: Path) -> None:
    encode = PcaReference.encode
    generator = torch.Generator().manual_seed(0)
    patch.setattr(
        PcaReference, "encode", lambda self, video: torch.randn(encode(self, video).shape, generator=generator)
    )


@fault("latents are scaled twice", "reference.suspect", own_bank=True)
def _(patch: Patch, _folder: Path) -> None:
    encode, decode = PcaReference.encode, PcaReference.decode
    patch.setattr(PcaReference, "encode", lambda self, video: 0.13 * encode(self, video))
    patch.setattr(PcaReference, "decode", lambda self, latents: decode(self, latents / 0.13))


@fault(
    "the reference's weights are random",
    "reference.suspect",
    "reference.source=taehv:FOLDER/random.safetensors",
    own_bank=True,
)
def _(_patch: Patch, folder: Path) -> None:
    save_weights(TAEHV(NETWORK, seed=5).state_dict(), folder / "random.safetensors", {})


# Starting weights.

NETWORK = NetworkSettings(
    variant="base",
    latent_channels=0,
    patch_size=0,
    encoder_time_strides=(),
    decoder_time_strides=(),
    width=0.25,
    initialisation="signal",
    weights="",
)
PRETRAINED = "network.weights=FOLDER/pretrained.safetensors"


def load_instead(patch: Patch, folder: Path, load: Callable[[nn.Module], object]) -> None:
    """Leave a file of starting weights, and do something else than load it."""
    save_weights(TAEHV(NETWORK, seed=7).state_dict(), folder / "pretrained.safetensors", {})
    patch.setattr("model.training.state.load_weights", lambda model, _path: load(model))


@fault("the pretrained file is not loaded", "weights.not_loaded", PRETRAINED)
def _(patch: Patch, folder: Path) -> None:
    load_instead(patch, folder, lambda _model: None)


@fault("another pretrained file is loaded", "weights.not_loaded", PRETRAINED)
def _(patch: Patch, folder: Path) -> None:
    load_instead(patch, folder, lambda model: model.load_state_dict(TAEHV(NETWORK, seed=8).state_dict()))


@fault("only the encoder's keys are loaded", "weights.not_loaded", PRETRAINED)
def _(patch: Patch, folder: Path) -> None:
    def load(model: nn.Module) -> None:
        state = TAEHV(NETWORK, seed=7).state_dict()
        model.load_state_dict({key: state[key] for key in state if key.startswith("encoder")}, strict=False)

    load_instead(patch, folder, load)


# What moves the weights.


def change_state(patch: Patch, change: Callable[[TrainState], None]) -> None:
    """Change every training state when it is made, for the training and for what is measured before it."""
    make = TrainState.__init__

    def changed(self: TrainState, *arguments: Any, **fields: Any) -> None:
        make(self, *arguments, **fields)
        change(self)

    patch.setattr(TrainState, "__init__", changed)


@fault("weights in bfloat16 at a rate of 1e-6", "weights.low_precision", "optimizer.learning_rate=1e-6")
def _(patch: Patch, _folder: Path) -> None:
    make = TAEHV.__init__

    def make_halved(self: TAEHV, *arguments: Any) -> None:
        make(self, *arguments)
        self.bfloat16()

    patch.setattr(TAEHV, "__init__", make_halved)
    encode, decode = TAEHV.encode, TAEHV.decode
    patch.setattr(TAEHV, "encode", lambda self, video: encode(self, video.to(self.encoder[0].weight.dtype)))
    patch.setattr(TAEHV, "decode", lambda self, latents: decode(self, latents.to(self.encoder[0].weight.dtype)).float())


@fault("every third step is skipped", "steps.skipped")
def _(patch: Patch, _folder: Path) -> None:
    def skip(state: TrainState) -> None:
        step, count = state.optimizer.step, iter(range(10**9))
        patch.setattr(state.optimizer, "step", lambda: step() if next(count) % 3 else None)

    change_state(patch, skip)


@fault("the optimizer holds a copy of the weights", "steps.skipped")
def _(patch: Patch, _folder: Path) -> None:
    def exchange(state: TrainState) -> None:
        for group in state.optimizer.param_groups:
            group["params"] = [nn.Parameter(parameter.detach().clone()) for parameter in group["params"]]

    change_state(patch, exchange)


@fault("the optimizer steps, but the live weights stay", "weights.frozen")
def _(patch: Patch, _folder: Path) -> None:
    def restore(state: TrainState) -> None:
        step = state.optimizer.step

        def step_elsewhere() -> None:
            before = [parameter.detach().clone() for parameter in state.model.parameters()]
            step()
            with torch.no_grad():
                for parameter, value in zip(state.model.parameters(), before, strict=True):
                    parameter.copy_(value)

        patch.setattr(state.optimizer, "step", step_elsewhere)

    change_state(patch, restore)


@fault("the averaged weights are never updated", "weights.final_is_initial")
def _(patch: Patch, _folder: Path) -> None:
    patch.setattr("model.training.step.update_average", lambda *_arguments: None)


@fault("gradients are scaled by 1e-10 and not back", "gradient.vanishing")
def _(patch: Patch, _folder: Path) -> None:
    for name in LOSSES:
        change_loss(patch, name, lambda loss: leaf(loss, 1e-10))


# Losses.


def change_loss(patch: Patch, name: str, change: Callable[[Tensor], Tensor | None]) -> None:
    """Exchange one loss, or leave it out where `change` gives None."""
    from model.training import step

    measure = step.measure_losses

    def changed(*arguments: Any) -> dict[str, Tensor]:
        losses = measure(*arguments)
        if name not in losses:
            return losses
        other = change(losses.pop(name))
        return losses if other is None else losses | {name: other}

    patch.setattr(step, "measure_losses", changed)


def change_targets(patch: Patch, change: Change) -> None:
    """Let the losses see other frames than the network."""
    from model.training import step

    measure, describe = step.measure_losses, step.describe_targets

    def other(batch: Any) -> Any:
        return dataclasses.replace(batch, video=change(batch.video))

    patch.setattr(step, "measure_losses", lambda passes, batch, *more: measure(passes, other(batch), *more))
    patch.setattr(step, "describe_targets", lambda perceptual, batch: describe(perceptual, other(batch)))


def leaf(loss: Tensor, factor: float) -> Tensor:
    """The same value with `factor` times its gradient."""
    return loss.detach() + factor * (loss - loss.detach())


@fault("the decoder loss has a weight, but its call is left out", "loss.inert")
def _(patch: Patch, _folder: Path) -> None:
    change_loss(patch, "decoder", lambda _loss: None)


@fault("the encoder loss is computed on detached latents", "loss.inert")
def _(patch: Patch, _folder: Path) -> None:
    change_loss(patch, "encoder", lambda loss: leaf(loss, 0.0))


@fault("the critic's exception is swallowed", "loss.inert")
def _(patch: Patch, _folder: Path) -> None:
    patch.setattr(Seraena, "correct", lambda _self, fake, _wanted, _context: fake)


@fault("the logged reconstruction loss is divided by 1000", "loss.metric_mismatch")
def _(patch: Patch, _folder: Path) -> None:
    change_loss(patch, "reconstruction", lambda loss: loss / 1000)


FAULTS.append(
    Fault(
        "the encoder loss has a weight of 1000",
        "loss.dominates",
        settings=("losses.encoder=1000", "training.steps=130"),
    )
)
FAULTS.append(
    Fault(
        "the critic does not learn",
        "seraena.inactive",
        settings=("losses.critic_learning_rate=1e-12", "training.steps=130"),
    )
)

# Schedule and clipping.

FAULTS.append(
    Fault(
        "nine tenths of the run are warm-up",
        "schedule.warmup_too_long",
        settings=("schedule.kind=constant_with_warmup", "schedule.warmup_share=0.9"),
    )
)
FAULTS.append(
    Fault("gradients are clipped at 1e-4", "gradient.always_clipped", settings=("optimizer.max_gradient_norm=1e-4",))
)


@fault("the scheduler steps eight times a step", "schedule.decayed_early", "schedule.kind=cosine")
def _(patch: Patch, _folder: Path) -> None:
    patch.setattr("model.training.step.multiplier", lambda step, *more: multiplier(8 * step, *more))


# Output.


@fault("the decoder's last layer is scaled away", "output.collapsed")
def _(patch: Patch, _folder: Path) -> None:
    decode = TAEHV.decode
    patch.setattr(TAEHV, "decode", lambda self, latents: 0.45 + 1e-3 * decode(self, latents))


@fault("outputs are clamped in training and the bias is -1", "output.saturated")
def _(patch: Patch, _folder: Path) -> None:
    decode = TAEHV.decode
    patch.setattr("model.network.taehv.start_grey", lambda decoder: nn.init.constant_(decoder[-1].bias, -1.0))
    patch.setattr(TAEHV, "decode", lambda self, latents: decode(self, latents).clamp(0, 1))


@fault("targets belong to other clips", "frames.misaligned")
def _(patch: Patch, _folder: Path) -> None:
    change_targets(patch, lambda video: video.roll(1, dims=0))


@fault(
    "the evaluation adds noise to the outputs",
    "score.below_trivial",
    "network.width=0.125",
    "data.crop_px=16",
    "training.batch_size=1",
    "training.steps=1000",
    "training.evaluate_every=1000",
    "training.probe_every=100",
    own_bank=True,
)
def _(patch: Patch, _folder: Path) -> None:
    from model.training import validation

    evaluate, generator = validation.evaluate, torch.Generator().manual_seed(0)

    # 0.2: below a frame's mean colour (15.7 dB) and less than 6 dB below training, where a mismatch would be the first finding.
    def noisy(reconstruct: Change, *more: Any) -> Any:
        return evaluate(lambda video: reconstruct(video) + 0.2 * torch.randn(video.shape, generator=generator), *more)

    patch.setattr(validation, "evaluate", noisy)


def one_of_each_code(parts: tuple[str, ...]) -> list[Fault]:
    """The first fault of each code that begins so: what the test suite has time for. `python -m tests.sabotage` plants all."""
    firsts: dict[str, Fault] = {}
    for one in FAULTS:
        if one.code.split(".")[0] in parts:
            firsts.setdefault(one.code, one)
    return list(firsts.values())
