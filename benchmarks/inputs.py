"""What a benchmark of steps is fed with: noise in the shapes of a bank, and LPIPS where it can be had."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch

    from model.bank import Bank
    from model.evaluation.perceptual import Perceptual
    from model.network.taehv import TAEHV
    from model.recipe import Recipe


def find_perceptual(
    recipe: "Recipe", device: "torch.device", say: "Callable[[str], None]"
) -> "tuple[Perceptual | None, Recipe]":
    """Load LPIPS; where it cannot be had say so, and leave its loss out of the settings."""
    from model.evaluation.perceptual import PerceptualUnavailable, load_perceptual

    try:
        return load_perceptual(recipe.evaluation.lpips, device), recipe
    except PerceptualUnavailable as error:
        say(f"no LPIPS: the steps are timed without the perceptual loss. {error}")
        return None, recipe.model_copy(update={"losses": recipe.losses.model_copy(update={"perceptual": 0.0})})


def random_bank(recipe: "Recipe") -> "Bank":
    """Noise in the shapes of a real bank: a step costs the same whatever its pictures show."""
    import torch

    from model.bank import Bank
    from model.bank_size import clip_shape, latents_shape
    from model.data.pixels import to_unit

    generator, clips = torch.Generator().manual_seed(0), 4 * recipe.training.batch_size
    training = torch.randint(256, (clips, *clip_shape(recipe)), dtype=torch.uint8, generator=generator)
    latents = torch.randn(clips, *latents_shape(recipe), generator=generator)
    return Bank(
        training=training,
        training_latents=latents,
        validation=training[:1],
        validation_round_trip=to_unit(training[:1]),
        validation_names=("noise",),
        digest="noise",
        facts={},
        path=Path("noise"),
    )


def decode_all_frames(*models: "TAEHV | None") -> None:
    """Have decoders keep their start-up frames, as the public notebook does: 3 latents make its 12 frames and not 9."""
    from model.network.variants import Architecture

    class Untrimmed(Architecture):
        def frames_trimmed(self, latents: int) -> int:
            return 0

    for model in models:
        if model is not None:
            model.architecture = Untrimmed(**asdict(model.architecture))
