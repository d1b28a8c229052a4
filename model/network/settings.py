"""Settings of the network that is trained and of the reference VAE that it learns from."""

from typing import Annotated, Literal

from pydantic import Field

from model.settings import FrozenSettings


class ReferenceSettings(FrozenSettings):
    """The frozen teacher: "pca", "taehv:PATH" or "diffusers:CLASS:PATH"."""

    source: str


class NetworkSettings(FrozenSettings):
    """The TAEHV variant and its width. 0 or an empty list means: as the variant says (model/network/variants.py)."""

    variant: Literal["base", "cogvideox", "wan22", "hunyuan15", "h3", "ltx", "wan22_super", "hunyuan15_super"]
    latent_channels: Annotated[int, Field(ge=0)]
    patch_size: Annotated[int, Field(ge=0)]
    encoder_time_strides: tuple[int, ...]
    decoder_time_strides: tuple[int, ...]
    width: Annotated[float, Field(gt=0, le=4)]
    initialisation: Literal["torch", "signal"]
    weights: str
