"""Settings of the record."""

from typing import Annotated

from pydantic import Field

from model.settings import FrozenSettings, HomePath


class TrackingSettings(FrozenSettings):
    """Where the record lives and how much of it is kept."""

    root: HomePath
    experiment: Annotated[str, Field(min_length=1)]
    keep_checkpoints: Annotated[int, Field(ge=1)]
    port: Annotated[int, Field(ge=1, le=65535)]
