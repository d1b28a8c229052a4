"""How many bytes a bank takes, told by the settings before anything is decoded or built."""

import math
from dataclasses import dataclass

import torch

from model.network.reference.pca import RGB, fit_bytes
from model.network.variants import architecture
from model.recipe import Recipe

FLOAT32_BYTES = torch.float32.itemsize


@dataclass(frozen=True)
class BankBytes:
    """Bytes of the four tensors of a bank at rest, and of what the reference holds while it is fitted.

    Attributes:
        training: clips, uint8.
        training_latents: float32.
        validation: clips, uint8.
        validation_round_trip: float32.
        fit: patches that a pca reference is fitted on, before there are latents; 0 for a reference that is loaded.
    """

    training: int
    training_latents: int
    validation: int
    validation_round_trip: int
    fit: int

    @property
    def on_disk(self) -> int:
        """The file, but for a fitted reference (100 kB) and the header: the names of clips and files, some hundred bytes each."""
        return self.training + self.training_latents + self.validation + self.validation_round_trip

    @property
    def while_built(self) -> int:
        """Most that building holds in host memory at once.

        The batch that the reference works on comes on top, and decoding, which is over before the first of these bytes is
        taken.
        """
        return self.training + self.validation + max(self.fit, self.training_latents + self.validation_round_trip)

    def in_training(self, latents_dtype: torch.dtype) -> int:
        """What training reads, on the device or in pinned memory: training clips and their latents."""
        return self.training + self.training_latents // FLOAT32_BYTES * latents_dtype.itemsize


def bank_bytes(recipe: Recipe) -> BankBytes:
    """Compute the size of a recipe's bank from clips, crop and the network's strides and channels alone.

    Raises:
        ValueError: the settings make no possible architecture.
    """
    data, shape = recipe.data, architecture(recipe.network)
    clip, latents = math.prod(clip_shape(recipe)), math.prod(latents_shape(recipe))
    fitted = (data.training_clips, data.frames, data.crop_px, data.crop_px)
    return BankBytes(
        training=data.training_clips * clip,
        training_latents=data.training_clips * latents * FLOAT32_BYTES,
        validation=data.validation_clips * clip,
        validation_round_trip=data.validation_clips * clip * FLOAT32_BYTES,
        fit=fit_bytes(*fitted, shape.time_stride, shape.space_stride) if recipe.reference.source == "pca" else 0,
    )


def clip_shape(recipe: Recipe) -> tuple[int, int, int, int]:
    """TCHW of a clip."""
    return recipe.data.frames, RGB, recipe.data.crop_px, recipe.data.crop_px


def latents_shape(recipe: Recipe) -> tuple[int, int, int, int]:
    """TCHW of a clip's latents.

    Raises:
        ValueError: the settings make no possible architecture.
    """
    data, shape = recipe.data, architecture(recipe.network)
    side = data.crop_px // shape.space_stride
    return (data.frames - 1) // shape.time_stride + 1, shape.latent_channels, side, side


def state_size(recipe: Recipe) -> str:
    """Say in one line what the bank of a recipe will take on disk, in host memory and in training."""
    data, size = recipe.data, bank_bytes(recipe)
    return (
        f"bank: {data.training_clips} training and {data.validation_clips} validation clips of "
        f"{data.frames}x{data.crop_px}x{data.crop_px} take {in_words(size.on_disk)} on disk "
        f"(clips {in_words(size.training + size.validation)}, latents {in_words(size.training_latents)}, "
        f"round trips {in_words(size.validation_round_trip)}); at most {in_words(size.while_built)} of memory while it is "
        f"built, decoding and the reference's own batch aside; {in_words(size.in_training(latents_dtype(recipe)))} in training"
    )


def latents_dtype(recipe: Recipe) -> torch.dtype:
    """In which type training reads the reference's latents: as exact as it computes."""
    return torch.bfloat16 if recipe.training.precision == "bfloat16" else torch.float32


def in_words(size: int) -> str:
    """Bytes as people read them: "1.2 GiB", or "35.0 MiB" below one GiB."""
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.1f} MiB"
