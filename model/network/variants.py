"""The published TAEHV variants: what their architectures differ in, chosen by settings and never by a file name."""

import math
from dataclasses import dataclass, replace
from typing import Literal

from model.network.settings import NetworkSettings

ENCODER_CHANNELS = 64
STAGES = 3  # each halves height and width once; how many halve the time is what the variants differ in


@dataclass(frozen=True)
class Architecture:
    """Everything that the layers of one TAEHV follow from; times in frames, sizes in pixels.

    Source: madebyollin/taehv (docs/facts.md 8); parameter counts are checked in the tests.
    """

    latent_channels: int
    patch_size: int  # pixel (un)shuffle before the encoder and after the decoder
    encoder_time_strides: tuple[int, ...]  # per stage, 1 or 2
    decoder_time_strides: tuple[int, ...]
    decoder_channels: tuple[int, ...]  # per stage, then of the last convolution's input
    decoder_kind: Literal["base", "super"] = "base"
    trims_even: bool = True  # False: an even number of latents keeps the start-up frames (CogVideoX)
    encoder_channels: int = ENCODER_CHANNELS

    @property
    def time_stride(self) -> int:
        """Frames per latent."""
        return math.prod(self.encoder_time_strides)

    @property
    def space_stride(self) -> int:
        """Pixels per latent along height and width, the patch included."""
        return 2**STAGES * self.patch_size

    def frames_trimmed(self, latents: int) -> int:
        """Start-up frames cut from what `latents` decode to, so that output frame i is input frame i."""
        return self.time_stride - 1 if self.trims_even or latents % 2 else 0


BASE = Architecture(16, 1, (2, 2, 1), (1, 2, 2), decoder_channels=(256, 128, 64, 64))
WAN22 = replace(BASE, latent_channels=48, patch_size=2)
HUNYUAN15 = replace(BASE, latent_channels=32, patch_size=2)
SUPER_CHANNELS = (512, 256, 128, 64)

VARIANTS: dict[str, Architecture] = {
    "base": BASE,  # taehv (Hunyuan), taew2_1 (Wan 2.1), taeos1_3 (Open-Sora 1.3)
    "cogvideox": replace(BASE, trims_even=False),  # taecvx
    "wan22": WAN22,  # taew2_2
    "hunyuan15": HUNYUAN15,  # taehv1_5
    # taeh3; the VAE that it imitates works in chunks of 17 frames, longer videos are to be cut by the caller.
    "h3": replace(BASE, latent_channels=24, patch_size=2),
    "ltx": Architecture(128, 4, (2, 2, 2), (2, 2, 2), decoder_channels=(256, 128, 64, 64)),  # taeltx_2, taeltx2_3
    "wan22_super": replace(WAN22, decoder_kind="super", decoder_channels=SUPER_CHANNELS),
    "hunyuan15_super": replace(HUNYUAN15, decoder_kind="super", decoder_channels=SUPER_CHANNELS),
}


def architecture(settings: NetworkSettings) -> Architecture:
    """Resolve network settings into an architecture; 0 and () take the variant's own value.

    Raises:
        ValueError: the strides are not three of 1 or 2, encoder and decoder change the time differently, or the width
            leaves a layer without channels.
    """
    published = VARIANTS[settings.variant]
    chosen = replace(
        published,
        latent_channels=settings.latent_channels or published.latent_channels,
        patch_size=settings.patch_size or published.patch_size,
        encoder_time_strides=settings.encoder_time_strides or published.encoder_time_strides,
        decoder_time_strides=settings.decoder_time_strides or published.decoder_time_strides,
        encoder_channels=round(published.encoder_channels * settings.width),
        decoder_channels=tuple(round(channels * settings.width) for channels in published.decoder_channels),
    )
    for name, strides in (("encoder", chosen.encoder_time_strides), ("decoder", chosen.decoder_time_strides)):
        if len(strides) != STAGES or any(stride not in (1, 2) for stride in strides):
            raise ValueError(
                f"network.{name}_time_strides must be {STAGES} values of 1 or 2, but is {list(strides)}; "
                f"[] takes those of {settings.variant}, {list(getattr(published, f'{name}_time_strides'))}"
            )
    if math.prod(chosen.encoder_time_strides) != math.prod(chosen.decoder_time_strides):
        raise ValueError(
            "encoder and decoder must change the number of frames by the same factor, but their time strides are "
            f"{list(chosen.encoder_time_strides)} and {list(chosen.decoder_time_strides)}; change both or neither"
        )
    if min(chosen.encoder_channels, *chosen.decoder_channels) < 1:
        raise ValueError(
            f"network.width must leave every layer a channel, but {settings.width:g} does not; "
            f"take at least {1 / ENCODER_CHANNELS:g}"
        )
    return chosen
