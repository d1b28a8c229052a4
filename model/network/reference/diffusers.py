"""A video VAE of the diffusers library, read from a local folder, as the frozen reference."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from torch import Tensor, nn

from model.network.operators import declare_missing_operators
from model.network.variants import Architecture
from model.network.weights import fingerprint

# The classes whose pipelines scale latents by (z - latents_mean) * scaling_factor / latents_std, each term where it has it.
# Checked in diffusers 0.42: pipelines/{cogvideo, wan, hunyuan_video, hunyuan_video1_5, ltx, ltx2}. MiniMax H3 is not among
# them: its VAE takes another colour scale and works in chunks of 17n + 5 frames.
CLASSES = (
    "AutoencoderKLCogVideoX",
    "AutoencoderKLHunyuanVideo",
    "AutoencoderKLHunyuanVideo15",
    "AutoencoderKLLTX2Video",
    "AutoencoderKLLTXVideo",
    "AutoencoderKLWan",
)
# Its attention mask has no dimension for heads (diffusers 0.42.1): a batch of several clips ends in an error of broadcasting.
ONE_CLIP_AT_A_TIME = ("AutoencoderKLHunyuanVideo15",)
# The clip that channels and strides are measured on: the shortest of 8k+1 frames with motion, the largest space stride.
PROBE_FRAMES, PROBE_PX = 9, 32


class DiffusersReference(nn.Module):
    """A frozen diffusers VAE between video in [0, 1] and latents as its diffusion model sees them."""

    mean: Tensor
    factor: Tensor

    def __init__(self, name: str, vae: Any) -> None:
        super().__init__()
        self.name = name
        self.vae = vae.eval().requires_grad_(False)
        self.identity = fingerprint(vae.state_dict())
        mean, factor = scaling(vae)
        self.register_buffer("mean", mean.view(1, -1, 1, 1, 1))
        self.register_buffer("factor", factor.view(1, -1, 1, 1, 1))
        # Measured and not read from the configuration: every class names these things differently.
        self.probed = tuple(self.encode(torch.zeros(1, PROBE_FRAMES, 3, PROBE_PX, PROBE_PX)).shape[1:4])
        self.latent_channels = self.probed[1]

    @torch.no_grad()
    def encode(self, video: Tensor) -> Tensor:
        """NTCHW video in [0, 1] -> NTCHW latents: the mode of the posterior, scaled."""
        latents = self.in_parts(lambda part: self.vae.encode(part).latent_dist.mode(), 2 * video.transpose(1, 2) - 1)
        return ((latents - self.mean) * self.factor).transpose(1, 2).contiguous()

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """NTCHW latents -> NTCHW video on the scale [0, 1], not clamped by us (Wan's decoder does it itself)."""
        video = self.in_parts(
            lambda part: self.vae.decode(part).sample, latents.transpose(1, 2) / self.factor + self.mean
        )
        return ((video + 1) / 2).transpose(1, 2).contiguous()

    def in_parts(self, passes: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
        """A pass of the VAE over a batch, in as many clips at a time as its class can do."""
        if type(self.vae).__name__ in ONE_CLIP_AT_A_TIME:
            return torch.cat([passes(clip) for clip in batch.split(1)])
        return passes(batch)


def load_diffusers(class_name: str, folder: Path, network: Architecture) -> DiffusersReference:
    """Load a VAE that `save_pretrained` or a download left in a local folder; nothing is fetched, no pickle is read.

    Args:
        class_name: one of CLASSES.
        folder: holds config.json and the .safetensors weights.
        network: the architecture that learns its latents.

    Raises:
        ValueError: diffusers is not installed, the class unknown, the folder no such VAE, or the latents are not those of
            the network.
    """
    if class_name not in CLASSES:
        raise ValueError(
            f"the class of a diffusers reference must be one of {', '.join(CLASSES)}, but is '{class_name}'"
        )
    if not (folder / "config.json").is_file():
        raise ValueError(
            f"a diffusers reference must be a local folder with a config.json, but {folder} has none; "
            "give the vae folder of a downloaded model"
        )
    declare_missing_operators()  # diffusers imports torchvision
    try:
        import diffusers  # imported here: it takes seconds, and only this reference needs it
    except ImportError as error:
        raise ValueError(
            "a diffusers reference must have diffusers installed, but it is not; pip install 'taehv-search[reference]'"
        ) from error
    kind = getattr(diffusers, class_name, None)
    if kind is None:
        raise ValueError(
            f"a diffusers reference of {class_name} needs a diffusers that has it, but {diffusers.__version__} has not; "
            "install a newer one"
        )
    reference = DiffusersReference(f"diffusers:{class_name}:{folder}", read_strictly(kind, folder))
    check_latents(reference, network)
    return reference


def read_strictly(kind: Any, folder: Path) -> Any:
    """Load with every weight present and none left over: diffusers itself only warns, and invents what is missing.

    Raises:
        ValueError: the folder is of another class, cannot be read, or has not exactly the weights of the class.
    """
    try:
        found = json.loads((folder / "config.json").read_text(encoding="utf-8")).get("_class_name")
        if found != kind.__name__:
            raise ValueError(f"its config.json says {found}")
        vae, loading = kind.from_pretrained(
            folder, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{folder} must hold an {kind.__name__}, but does not load: {reason}") from error
    faults = [f"{len(keys)} {name.replace('_', ' ')}" for name, keys in loading.items() if keys]
    if faults:
        raise ValueError(
            f"{folder} must hold exactly the weights of {kind.__name__}, but has {', '.join(faults)}; fetch it again"
        )
    return vae


def scaling(vae: Any) -> tuple[Tensor, Tensor]:
    """Mean and factor per latent channel (or one for all) with which the diffusion model sees (z - mean) * factor."""
    buffers = dict(vae.named_buffers())  # where LTX keeps its statistics; the others have them in the configuration

    def statistic(name: str, absent: float) -> Tensor:
        value = buffers[name].tolist() if name in buffers else vae.config.get(name)
        return torch.tensor(absent if value is None else value, dtype=torch.float32)

    return statistic("latents_mean", 0.0), statistic("scaling_factor", 1.0) / statistic("latents_std", 1.0)


def check_latents(reference: DiffusersReference, network: Architecture) -> None:
    """Compare channels and strides, as measured on a blank clip, with the network's.

    Raises:
        ValueError: they differ; both are named.
    """
    wanted = ((PROBE_FRAMES - 1) // network.time_stride + 1, network.latent_channels, PROBE_PX // network.space_stride)
    if reference.probed != wanted:
        raise ValueError(
            f"the reference must make the network's latents, {describe(*wanted)}, but {reference.name} makes "
            f"{describe(*reference.probed)}; set network.variant to the TAEHV of this VAE"
        )


def describe(frames: int, channels: int, size: int) -> str:
    """Channels and strides, in words."""
    # 9 frames are 2 latents at time stride 8, 3 at 4, 5 at 2 and 9 at 1.
    time_stride = (PROBE_FRAMES - 1) / (frames - 1) if frames > 1 else float("inf")
    return f"{channels} channels at time stride {time_stride:g} and space stride {PROBE_PX / size:g}"
