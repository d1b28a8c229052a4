"""The reference VAE: the frozen teacher that defines the latents."""

from pathlib import Path

import torch
from torch import Tensor

from model.network.reference.base import Reference
from model.network.reference.diffusers import load_diffusers
from model.network.reference.pca import fit_pca
from model.network.reference.taehv import load_taehv
from model.network.settings import NetworkSettings, ReferenceSettings
from model.network.variants import architecture

FORMS = '"pca", "taehv:PATH" or "diffusers:CLASS:PATH"'


def build_reference(
    reference: ReferenceSettings, network: NetworkSettings, training_clips: Tensor, device: torch.device
) -> Reference:
    """Build the reference that the settings name, and no other.

    Args:
        reference: its source.
        network: the network that learns from it; channels and strides of the latents must agree.
        training_clips: uint8, N T 3 H W, on the CPU; only pca is fitted on them.
        device: where it will run.

    Raises:
        ValueError: the source has no known form, cannot be loaded, or makes latents that the network does not.
    """
    kind, *parts = reference.source.split(":", 2 if reference.source.startswith("diffusers:") else 1)
    shape = architecture(network)
    built: Reference
    match kind, parts:
        case "pca", []:
            built = fit_pca(training_clips, shape.latent_channels, shape.time_stride, shape.space_stride)
        case "taehv", [path] if path:
            built = load_taehv(Path(path), network)
        case "diffusers", [name, path] if name and path:
            built = load_diffusers(name, Path(path), shape)
        case _:
            raise ValueError(f"reference.source must be {FORMS}, but is '{reference.source}'")
    return built.to(device)
