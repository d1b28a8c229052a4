import copy
from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.network.taehv import TAEHV
from model.recipe import Recipe
from model.training.batches import Batch
from model.training.passes import OF_REFERENCE
from model.training.probes import (
    compare_output,
    gradient_shares,
    last_convolution,
    probe_update,
    read_probes,
)
from model.training.settings import LOSSES
from model.training.state import flatten_parts, start_state
from model.training.step import run_forward, take_step

CPU = torch.device("cpu")
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
    measured = read_probes(gradient_shares(losses_of(model, batch), model), CPU)
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
    gradient_shares(losses, model)
    assert all(weights.grad is None for weights in model.parameters())
    sum(losses.values()).backward()
    assert all(torch.equal(weights.grad, want) for weights, want in zip(model.parameters(), expected, strict=True))


def test_shares_are_zero_where_nothing_has_a_gradient(recipe: Callable[..., Recipe], batch: Batch) -> None:
    model = TAEHV(recipe().network, 0)
    model.decoder[-1].weight.data.zero_()
    model.decoder[-1].bias.data.zero_()
    # The square of an output of 0 has slope 0 everywhere.
    shares = gradient_shares({"decoder": model.decode(batch.latents).square().mean()}, model)
    assert set(read_probes(shares, CPU).values()) == {0.0}


@pytest.mark.parametrize("variant", ["base", "wan22", "wan22_super"])
def test_the_last_convolution_is_the_one_that_gives_the_output(recipe: Callable[..., Recipe], variant: str) -> None:
    model = TAEHV(recipe(f"network.variant={variant}").network, 0)
    assert last_convolution(model.encoder).out_channels == model.latent_channels
    assert last_convolution(model.decoder).out_channels == 3 * model.architecture.patch_size**2


def test_losses_behind_the_reference_give_the_encoder_nothing(recipe: Callable[..., Recipe], batch: Batch) -> None:
    """What gradient_shares takes for granted, on the step's own graph."""
    settings = recipe()
    state = start_state(settings, CPU)
    losses = run_forward(state, batch, settings, None).losses
    for name in ("encoder", "decoder", "reconstruction", "seraena"):
        (gradient,) = torch.autograd.grad(losses[name], [state.model.encoder[17].weight], retain_graph=True)
        assert bool(gradient.any()) == (name not in OF_REFERENCE), name


def test_output_is_compared_with_its_frames_by_hand() -> None:
    video = torch.tensor([0.0, 0.5, 1.0, 0.5]).view(1, 1, 1, 2, 2)
    # One value at a bound, one outside.
    measured = read_probes(compare_output(torch.tensor([0.0, 0.5, 1.5, 0.5]).view_as(video), video), CPU)
    # Standard deviations: sqrt(((-.625)^2 + 2 (-.125)^2 + .875^2) / 4) and sqrt(1/8).
    assert measured == pytest.approx({"output/std_ratio": (1.1875 / 4 / 0.125) ** 0.5, "output/saturated_share": 0.5})
    flat = read_probes(compare_output(torch.full_like(video, 0.5), video), CPU)
    assert flat == {"output/std_ratio": 0.0, "output/saturated_share": 0.0}
    black = read_probes(compare_output(video, torch.zeros_like(video)), CPU)
    assert torch.isfinite(torch.tensor(black["output/std_ratio"]))


def test_probes_come_to_the_host_under_their_names() -> None:
    assert read_probes({"a": torch.tensor(0.5), "b": torch.tensor(3)}, CPU) == {"a": 0.5, "b": 3.0}
    assert read_probes({}, CPU) == {}


def test_the_input_is_what_entered_and_not_what_was_prepared(recipe: Callable[..., Recipe], batch: Batch) -> None:
    """Frames divided by 255 on their way into the network show, although the batch is sound."""
    settings = recipe()
    sound, faulty = start_state(settings, CPU), start_state(settings, CPU)
    encode = faulty.model.encode
    faulty.model.encode = lambda video: encode(video / 255)
    for state, scale in ((sound, 1), (faulty, 255)):
        probes = take_step(state, batch, settings, None, probe=True).probes
        assert probes["input/max"] == pytest.approx(batch.video.max().item() / scale)
        assert probes["input/min"] == pytest.approx(batch.video.min().item() / scale)
        # The encoder sees the last frame of nine four times.
        assert probes["input/mean"] == pytest.approx(batch.video.mean().item() / scale, rel=0.05)
        assert probes["input/std"] == pytest.approx(batch.video.std(correction=0).item() / scale, rel=0.05)


def test_a_dead_output_shows(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe()
    state = start_state(settings, CPU)
    state.model.decoder[-1].weight.data.zero_()
    state.model.decoder[-1].bias.data.fill_(1.0)
    probes = take_step(state, batch, settings, None, probe=True).probes
    assert (probes["output/std_ratio"], probes["output/saturated_share"]) == (0.0, 1.0)


def test_losses_next_to_nothing_starve_adam(recipe: Callable[..., Recipe], batch: Batch) -> None:
    names = ("encoder", "decoder", "reconstruction", "seraena")
    shares = []
    for scale in (1.0, 1e-10):
        settings = recipe(*(f"losses.{name}={scale}" for name in names))
        state = start_state(settings, CPU)
        shares.append(take_step(state, batch, settings, None, probe=True).probes["adam/starved_share"])
    # Some units of so narrow a network are dead from the start.
    assert shares[0] < 0.3
    assert shares[1] > 0.5


def test_an_optimizer_that_holds_other_weights_shows(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe()
    state = start_state(settings, CPU)
    state.optimizer = torch.optim.AdamW(copy.deepcopy(state.model).parameters(), fused=True)
    for probe in (False, True):
        probes = take_step(state, batch, settings, None, probe=probe).probes
    assert probes["weights/identical_share"] == probes["steps/skipped"] == 1
    assert probes["weights/change"] == probes["average/change"] == 0
    assert probes["weights/expected_change"] > 0
    # What the optimizer knows nothing about is not measured.
    assert "adam/starved_share" not in probes
    assert "weights/below_precision" not in probes


def test_weights_too_coarse_for_their_rate_show(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe("optimizer.learning_rate=1e-6", "schedule.kind=constant", 'training.precision="bfloat16"')
    fine, coarse = start_state(settings, CPU), start_state(settings, CPU)
    coarse.weights, coarse.averaged = (flatten_parts(whole.bfloat16()) for whole in (coarse.model, coarse.average))
    coarse.optimizer = torch.optim.AdamW([part.values for part in coarse.weights], 1e-6, fused=True)
    for _ in range(2):  # the first probe of the coarse weights compares them with those before they were rounded
        probes = [take_step(state, batch, settings, None, probe=True).probes for state in (fine, coarse)]
    # Where a gradient is near epsilon the update is so small that even float32 may lose it.
    assert probes[0]["weights/below_precision"] < 0.001
    assert probes[1]["weights/below_precision"] > 0.3
    assert probes[0]["weights/identical_share"] < 0.3 < probes[1]["weights/identical_share"]


def test_an_average_that_is_never_updated_shows(recipe: Callable[..., Recipe], batch: Batch) -> None:
    """As when the weights are moved to a copy, and the average goes on following the old ones."""
    settings = recipe()
    state = start_state(settings, CPU)
    sound = take_step(state, batch, settings, None, probe=True).probes
    assert sound["average/change"] > 0
    state = start_state(settings, CPU)
    average = copy.deepcopy(state.average)
    take_step(state, batch, settings, None, probe=False)
    state.average = average
    stale = probe_update(state)
    assert stale["average/change"] == 0
    assert stale["weights/change"] > 0


def test_an_ordinary_step_measures_none_of_it(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe()
    state = start_state(settings, CPU)
    last = state.drift.last
    assert take_step(state, batch, settings, None, probe=False).probes == {}
    assert state.drift.last is last
