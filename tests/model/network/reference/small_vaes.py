"""Randomly initialised VAEs of diffusers with a few channels, as `save_pretrained` writes them."""

from pathlib import Path
from typing import Any

import torch

from model.network.operators import declare_missing_operators

#: By class: what makes it small.
CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "AutoencoderKLCogVideoX": {"block_out_channels": (8,) * 4, "layers_per_block": 1, "norm_num_groups": 2},
    "AutoencoderKLHunyuanVideo": {"block_out_channels": (8,) * 4, "layers_per_block": 1, "norm_num_groups": 2},
    "AutoencoderKLHunyuanVideo15": {"block_out_channels": (8, 16, 32, 64, 64), "layers_per_block": 1},
    "AutoencoderKLWan": {"base_dim": 8, "dim_mult": [1, 1, 1, 1], "num_res_blocks": 1},
    "AutoencoderKLLTXVideo": {
        "block_out_channels": (8,) * 4,
        "decoder_block_out_channels": (8,) * 4,
        "layers_per_block": (1,) * 5,
        "decoder_layers_per_block": (1,) * 5,
    },
}


def save_small_vae(name: str, folder: Path, **changes: object) -> None:
    """Make a VAE of a class and write it; `changes` are to its configuration."""
    declare_missing_operators()  # diffusers imports torchvision
    import diffusers

    with torch.random.fork_rng():
        torch.manual_seed(0)
        vae = getattr(diffusers, name)(**CONFIGURATIONS[name] | changes)
    if name == "AutoencoderKLLTXVideo":
        vae.latents_mean.copy_(torch.linspace(-1, 1, 128))
        vae.latents_std.copy_(torch.linspace(1, 2, 128))
    vae.save_pretrained(folder)
