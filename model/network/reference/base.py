"""What every reference VAE offers: the frozen teacher that defines the latents."""

from typing import Protocol, Self

import torch
from torch import Tensor


class Reference(Protocol):
    """A frozen VAE; its latents are those that the diffusion model sees (scaled and shifted)."""

    name: str  # the setting that it was built from
    identity: str  # 12 hex digits of its weights
    latent_channels: int

    def encode(self, video: Tensor) -> Tensor:
        """NTCHW video in [0, 1], float32, T = 8k+1 -> NTCHW latents, float32, without gradient."""

    def decode(self, latents: Tensor) -> Tensor:
        """NTCHW latents, float32 -> NTCHW video on the scale [0, 1], not clamped, without gradient."""

    def to(self, device: torch.device) -> Self:
        """Move the weights."""
