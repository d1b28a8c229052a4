"""TAEHV, a tiny video autoencoder: RGB video to the latents of a large video VAE and back, causal in time.

The layers stand in two flat sequences, so that state-dict keys are those of the released weights (encoder.0.weight ...
decoder.22.bias). Source of the architecture: madebyollin/taehv.
"""

from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from model.network.blocks import (
    MemoryBlock,
    RemembersPast,
    SoftClamp,
    SuperMemoryBlock,
    TimeGrow,
    TimePool,
    convolution,
)
from model.network.enlarging import EnlargingConvolution
from model.network.initialisation import pass_signals_on, start_grey
from model.network.narrow import NarrowConvolution
from model.network.settings import NetworkSettings
from model.network.variants import Architecture, architecture

RGB = 3


class TAEHV(nn.Module):
    """Encoder and decoder of one variant, initialised from `seed`; the global random state is left as it was.

    Raises:
        ValueError: the settings make no possible architecture.
    """

    def __init__(self, settings: NetworkSettings, seed: int = 0) -> None:
        super().__init__()
        self.architecture = architecture(settings)
        self.latent_channels = self.architecture.latent_channels
        self.time_stride = self.architecture.time_stride
        self.space_stride = self.architecture.space_stride
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)
            self.encoder = build_encoder(self.architecture)
            self.decoder = build_decoder(self.architecture)
        if settings.initialisation == "signal":
            pass_signals_on(self.encoder, self.decoder, seed)
        start_grey(self.decoder)

    def encode(self, video: Tensor) -> Tensor:
        """Turn NTCHW video in [0, 1] into NTCHW latents as the diffusion model sees them, all frames at once.

        T frames give ceil(T / time_stride) latents: the last frame is repeated to fill the last one.

        Raises:
            ValueError: height or width is no multiple of the space stride.
        """
        check_size(video.shape[-2], video.shape[-1], self.space_stride)
        layers, patch_size = list(self.encoder), self.architecture.patch_size
        frames = F.pixel_unshuffle(video, patch_size) if patch_size > 1 else video
        # Repeats of a frame differ only behind the first layer that mixes frames, at half the size. Compiled, more frames in
        # the layers before it are cheaper than joining there: a step of the h100 profile took 9.52 ms and not 9.78 (H200).
        alone = 0 if torch.compiler.is_compiling() else min(i for i, layer in enumerate(layers) if mixes_frames(layer))
        frames = over_time(layers[:alone], frames)
        missing = -frames.shape[1] % self.time_stride
        if missing:
            frames = torch.cat([frames, frames[:, -1:].expand(-1, missing, -1, -1, -1)], 1)
        return over_time(layers[alone:], frames)

    def decode(self, latents: Tensor) -> Tensor:
        """Turn NTCHW latents into NTCHW video, all frames at once, not clamped to [0, 1]: a clamp has no gradient outside.

        T latents give time_stride * (T - 1) + 1 frames (CogVideoX: time_stride * T when T is even).
        """
        assert latents.shape[2] == self.latent_channels, f"{latents.shape[2]} channels, not {self.latent_channels}"
        layers = list(self.decoder)
        after_time = 1 + max(index for index, layer in enumerate(layers) if isinstance(layer, TimeGrow))
        frames = over_time(layers[:after_time], latents)
        # Behind the last layer that mixes frames, so that the rest, at full size, does not compute what is cut off; as NTHWC,
        # so that the gradient too comes in the layout of the convolutions.
        trimmed = self.architecture.frames_trimmed(latents.shape[1])
        frames = frames.permute(0, 1, 3, 4, 2)[:, trimmed:].permute(0, 1, 4, 2, 3)
        patches, patch_size = over_time(layers[after_time:], frames), self.architecture.patch_size
        return F.pixel_shuffle(patches, patch_size) if patch_size > 1 else patches


def build_encoder(shape: Architecture) -> nn.Sequential:
    """Stem, three stages that halve the size and pool the time, projection to the latents."""
    channels = shape.encoder_channels
    layers: list[nn.Module] = [NarrowConvolution(RGB * shape.patch_size**2, channels), nn.ReLU(inplace=True)]
    for time_stride in shape.encoder_time_strides:
        layers += [TimePool(channels, time_stride), convolution(channels, channels, stride=2, bias=False)]
        layers += [MemoryBlock(channels) for _ in range(3)]
    return nn.Sequential(*layers, convolution(channels, shape.latent_channels))


def build_decoder(shape: Architecture) -> nn.Sequential:
    """Stem, three stages that double the size and grow the time, projection to (patched) RGB."""
    widths = shape.decoder_channels
    stages = zip(widths[:-1], widths[1:], shape.decoder_time_strides, strict=True)
    last = NarrowConvolution(widths[-1], RGB * shape.patch_size**2)
    if shape.decoder_kind == "super":
        stem: list[nn.Module] = [nn.Conv2d(shape.latent_channels, widths[0], 1, bias=False)]
        return nn.Sequential(*stem, *(layer for stage in stages for layer in super_stage(*stage)), last)
    stem = [SoftClamp(), convolution(shape.latent_channels, widths[0]), nn.ReLU(inplace=True)]
    return nn.Sequential(
        *stem, *(layer for stage in stages for layer in base_stage(*stage)), nn.ReLU(inplace=True), last
    )


def base_stage(inputs: int, outputs: int, time_stride: int) -> list[nn.Module]:
    """Three memory blocks, time growth, nearest upsampling with a convolution to the next width."""
    blocks: list[nn.Module] = [MemoryBlock(inputs) for _ in range(3)]
    return [
        *blocks,
        nn.Identity(),  # where the released networks upsample: later layers keep their numbers in the state dict
        TimeGrow(inputs, time_stride),
        EnlargingConvolution(inputs, outputs),
    ]


def super_stage(inputs: int, outputs: int, time_stride: int) -> list[nn.Module]:
    """Three large-kernel memory blocks, convolution and pixel shuffle to the next width, time growth."""
    blocks: list[nn.Module] = [SuperMemoryBlock(inputs) for _ in range(3)]
    upsampling = [convolution(inputs, 4 * outputs), nn.ReLU(inplace=True), nn.PixelShuffle(2)]
    return [*blocks, *upsampling, TimeGrow(outputs, time_stride)]


def mixes_frames(layer: nn.Module) -> bool:
    """Whether a frame of a layer's output depends on more than one of its input."""
    return isinstance(layer, RemembersPast) or (isinstance(layer, TimePool) and layer.stride > 1)


def over_time(layers: Iterable[nn.Module], frames: Tensor) -> Tensor:
    """Apply the layers to NTCHW frames, all at once; what a layer remembers is the input shifted by one frame."""
    clips = frames.shape[0]
    # By way of NHWC: where this copies, the copy is in the layout of the convolutions.
    flat = frames.permute(0, 1, 3, 4, 2).flatten(0, 1).permute(0, 3, 1, 2)
    for layer in layers:
        if isinstance(layer, RemembersPast):
            # One frame of zeros before the first, and the last frame cut off; as NCTHW, which padding leaves in its layout.
            present = flat.unflatten(0, (clips, -1)).transpose(1, 2)
            past = F.pad(present, (0, 0, 0, 0, 1, -1)).transpose(1, 2).flatten(0, 1)
            flat = layer(flat, past)
        else:
            flat = layer(flat)
    return flat.unflatten(0, (clips, -1))


def check_length(frames: int) -> None:
    """Refuse clip lengths that some variant would change: 8k+1 frames come back as 8k+1 frames from all of them.

    Raises:
        ValueError: the length is not 8k+1; the nearest good ones are named.
    """
    if frames % 8 != 1:
        below = (frames - 1) // 8 * 8 + 1
        nearest = f"{below} or {below + 8}" if below > 0 else f"{below + 8}"
        raise ValueError(f"a clip must have 8k+1 frames, but has {frames}; take {nearest}")


def check_size(height_px: int, width_px: int, space_stride: int) -> None:
    """Refuse frames that the latents cannot cover exactly.

    Raises:
        ValueError: height or width is no positive multiple of the space stride.
    """
    if height_px < space_stride or width_px < space_stride or height_px % space_stride or width_px % space_stride:
        good = [max(round(size / space_stride), 1) * space_stride for size in (height_px, width_px)]
        raise ValueError(
            f"height and width must be multiples of {space_stride} px for this variant, "
            f"but are {height_px} x {width_px}; take {good[0]} x {good[1]}"
        )
