from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.network.taehv import TAEHV
from model.recipe import Recipe
from model.training.batches import Batch
from model.training.losses import LOSSES
from model.training.probes import gradient_shares, input_range, last_convolution

PLACES = ("gradient_share_encoder", "gradient_share_decoder", "gradient_share")


def losses_of(model: TAEHV, batch: Batch) -> dict[str, Tensor]:
    latents = model.encode(batch.video)
    return {
        "encoder": 0.5 * F.mse_loss(latents, batch.latents),
        "decoder": 2.0 * F.mse_loss(model.decode(batch.latents), batch.video),
        "reconstruction": 10.0 * F.mse_loss(model.decode(latents), batch.video),
    }


def test_shares_are_those_of_separate_backward_passes(recipe: Callable[..., Recipe], batch: Batch) -> None:
    model = TAEHV(recipe().network, 0)
    encoder, decoder, joint = {}, {}, {}
    for name in ("encoder", "decoder", "reconstruction"):
        model.zero_grad()
        losses_of(model, batch)[name].backward()
        at_encoder, at_decoder = (
            0.0 if weights.grad is None else weights.grad.double().norm().item()
            for weights in (model.encoder[17].weight, model.decoder[22].weight)
        )
        encoder[name], decoder[name] = at_encoder, at_decoder
        joint[name] = (at_encoder**2 + at_decoder**2) ** 0.5
    expected = {
        f"{place}/{name}": norms.get(name, 0.0) / sum(norms.values())
        for place, norms in zip(PLACES, (encoder, decoder, joint), strict=True)
        for name in LOSSES
    }
    model.zero_grad()
    measured = gradient_shares(losses_of(model, batch), model, LOSSES)
    assert measured == pytest.approx(expected, rel=1e-4, abs=1e-9)
    assert measured["gradient_share_decoder/encoder"] == 0
    assert measured["gradient_share_encoder/decoder"] == 0
    for place in PLACES:
        assert sum(measured[f"{place}/{name}"] for name in LOSSES) == pytest.approx(1, abs=1e-6)


def test_a_probe_leaves_the_steps_own_gradient_as_it_was(recipe: Callable[..., Recipe], batch: Batch) -> None:
    model = TAEHV(recipe().network, 0)
    sum(losses_of(model, batch).values()).backward()
    expected = [weights.grad.clone() for weights in model.parameters()]
    model.zero_grad()
    losses = losses_of(model, batch)
    gradient_shares(losses, model, LOSSES)
    assert all(weights.grad is None for weights in model.parameters())
    sum(losses.values()).backward()
    assert all(torch.equal(weights.grad, want) for weights, want in zip(model.parameters(), expected, strict=True))


def test_shares_are_zero_where_nothing_has_a_gradient(recipe: Callable[..., Recipe], batch: Batch) -> None:
    model = TAEHV(recipe().network, 0)
    model.decoder[-1].weight.data.zero_()
    model.decoder[-1].bias.data.zero_()
    # The square of an output of 0 has slope 0 everywhere.
    shares = gradient_shares({"decoder": model.decode(batch.latents).square().mean()}, model, LOSSES)
    assert set(shares.values()) == {0.0}


@pytest.mark.parametrize("variant", ["base", "wan22", "wan22_super"])
def test_the_last_convolution_is_the_one_that_gives_the_output(recipe: Callable[..., Recipe], variant: str) -> None:
    model = TAEHV(recipe(f"network.variant={variant}").network, 0)
    assert last_convolution(model.encoder).out_channels == model.latent_channels
    assert last_convolution(model.decoder).out_channels == 3 * model.architecture.patch_size**2


def test_input_range_is_that_of_the_tensor() -> None:
    video = torch.tensor([0.25, 0.5, 1.0, 0.25]).view(1, 1, 1, 2, 2)
    assert input_range(video) == {"input/min": 0.25, "input/max": 1.0, "input/mean": 0.5}
