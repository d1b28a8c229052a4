from collections.abc import Callable

import pytest
import torch

from model.network.taehv import TAEHV
from model.recipe import Recipe
from model.training.batches import Batch
from model.training.passes import run_passes

NAMES = ("encoder", "decoder", "reconstruction", "perceptual", "seraena")


def only(name: str) -> list[str]:
    return [f"losses.{other}={1.0 if other == name else 0.0}" for other in NAMES]


def test_the_passes_are_those_of_the_losses_definitions(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe()
    model = TAEHV(settings.network, 0)
    passes = run_passes(model, batch, settings.losses, "float32")
    with torch.no_grad():
        assert torch.equal(passes.latents, model.encode(batch.video))
        # Both decodes were one call on twice the batch, for which the convolutions may sum in another order.
        torch.testing.assert_close(passes.decoded, model.decode(batch.latents))
        torch.testing.assert_close(passes.reconstruction, model.decode(model.encode(batch.video)))
    assert passes.latents.shape == batch.latents.shape
    assert passes.decoded.shape == passes.reconstruction.shape == batch.video.shape


def test_training_sees_values_out_of_range(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe()
    model = TAEHV(settings.network, 0)
    model.decoder[-1].bias.data.fill_(2.0)
    passes = run_passes(model, batch, settings.losses, "float32")
    assert passes.reconstruction.min() > 1
    passes.reconstruction.mean().backward()
    assert model.decoder[-1].bias.grad.abs().min() > 0


@pytest.mark.parametrize(
    ("name", "graphs"),
    [
        ("encoder", (True, False)),
        ("decoder", (False, True)),
        ("reconstruction", (True, True)),
        ("perceptual", (True, True)),
        ("seraena", (False, True)),
    ],
)
def test_only_passes_that_a_weighted_loss_needs_have_a_graph(
    recipe: Callable[..., Recipe], batch: Batch, name: str, graphs: tuple[bool, bool]
) -> None:
    settings = recipe(*only(name))
    passes = run_passes(TAEHV(settings.network, 0), batch, settings.losses, "float32")
    assert (passes.latents.requires_grad, passes.decoded.requires_grad) == graphs
    assert passes.reconstruction.requires_grad == passes.decoded.requires_grad  # one call of the decoder makes both


def test_bfloat16_gives_every_weight_the_gradient_of_float32(recipe: Callable[..., Recipe], batch: Batch) -> None:
    """Also where the decoder runs without a graph first: a cached cast of its weights would have none."""
    settings = recipe(*only("reconstruction"))
    gradients = []
    for precision in ("float32", "bfloat16"):
        model = TAEHV(settings.network, 0)
        passes = run_passes(model, batch, settings.losses, precision)
        assert passes.reconstruction.dtype == torch.float32
        passes.reconstruction.square().mean().backward()
        gradients.append([weights.grad for weights in model.parameters()])
    for exact, rounded in zip(*gradients, strict=True):
        assert rounded.dtype == torch.float32
        # bfloat16 keeps 8 bits, about 0.4 % a value; over twenty layers this adds up.
        assert (rounded - exact).norm() < 0.2 * exact.norm()
