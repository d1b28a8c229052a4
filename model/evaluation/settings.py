"""Settings of the evaluation."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from model.settings import FrozenSettings


class EvaluationSettings(FrozenSettings):
    """How validation clips are scored."""

    unscientific: ClassVar[frozenset[str]] = frozenset({"batch_size", "pictures"})

    batch_size: Annotated[int, Field(ge=1)]
    lpips: Literal["alex", "squeeze", "vgg"]
    bootstrap_resamples: Annotated[int, Field(ge=100)]
    pictures: Annotated[int, Field(ge=0)]
