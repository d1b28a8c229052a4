"""A TAEHV checkpoint, released or our own, as the frozen reference."""

from pathlib import Path

import torch
from torch import Tensor, nn

from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV
from model.network.weights import fingerprint, load_weights, read_weights, width_of


class TaehvReference(nn.Module):
    """The encoder and decoder of a frozen TAEHV; its latents already are those that the diffusion model sees."""

    def __init__(self, name: str, model: TAEHV) -> None:
        super().__init__()
        self.name = name
        self.model = model.eval().requires_grad_(False)
        self.identity = fingerprint(model.state_dict())
        self.latent_channels = model.latent_channels

    @torch.no_grad()
    def encode(self, video: Tensor) -> Tensor:
        """NTCHW video in [0, 1] -> NTCHW latents."""
        return self.model.encode(video)

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """NTCHW latents -> NTCHW video, not clamped."""
        return self.model.decode(latents)


def load_taehv(path: Path, network: NetworkSettings) -> TaehvReference:
    """Load a checkpoint as the variant of the network settings, at the width that the file itself has.

    Raises:
        ValueError: the file cannot be read or is of another variant.
    """
    width = width_of(read_weights(path))
    model = TAEHV(network.model_copy(update={"width": width}))
    load_weights(model, path)
    return TaehvReference(f"taehv:{path}", model)
