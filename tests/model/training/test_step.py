import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from model.bank import Bank
from model.recipe import Recipe
from model.training.batches import Batch, take_batch
from model.training.state import TrainState, start_state
from model.training.step import NonFiniteError, refuse_non_finite, take_step

CPU = torch.device("cpu")


def start(settings: Recipe) -> TrainState:
    return start_state(settings, CPU)


def test_a_step_is_the_textbook_one(recipe: Callable[..., Recipe], batch: Batch) -> None:
    """Losses, clipping, AdamW and average against the same written out with torch's plain parts."""
    weights = ("losses.encoder=0.5", "losses.decoder=2.0", "losses.reconstruction=3.0", "losses.seraena=0.0")
    settings = recipe(*weights, "schedule.kind=constant", "training.average_share=1.0", "training.steps=100")
    state = start(settings)
    plain = copy.deepcopy(state.model)
    before = [weights.detach().clone() for weights in plain.parameters()]
    adamw = torch.optim.AdamW(plain.parameters(), lr=3e-4, betas=(0.9, 0.95), weight_decay=0.01, foreach=False)
    step = take_step(state, batch, settings, None, probe=False)

    latents = plain.encode(batch.video)
    encoder = F.mse_loss(latents, batch.latents)
    decoder = F.mse_loss(plain.decode(batch.latents), batch.video)
    reconstruction = F.mse_loss(plain.decode(latents), batch.video)
    total = 0.5 * encoder + 2 * decoder + 3 * reconstruction
    total.backward()
    norm = torch.nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
    adamw.step()

    assert step.losses["encoder"] == pytest.approx(encoder.item(), rel=1e-6)
    assert step.losses["decoder"] == pytest.approx(decoder.item(), rel=1e-6)
    assert step.losses["reconstruction"] == pytest.approx(reconstruction.item(), rel=1e-6)
    assert step.total == pytest.approx(total.item(), rel=1e-6)
    assert step.gradient_norm == pytest.approx(norm.item(), rel=1e-5)
    assert step.learning_rate == 3e-4
    # AdamW's first step is lr * sign(gradient): where a gradient is near 0, rounding may decide. 2e-6 is under 1 % of it.
    for ours, theirs, old, averaged in zip(
        state.model.parameters(), plain.parameters(), before, state.average.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-6)
        torch.testing.assert_close(averaged, 0.1 * old + 0.9 * ours, rtol=0, atol=1e-6)
    assert state.step == 1


def test_the_norm_is_measured_before_clipping(recipe: Callable[..., Recipe], batch: Batch) -> None:
    free, bound = recipe("optimizer.max_gradient_norm=0.0"), recipe("optimizer.max_gradient_norm=0.001")
    unclipped, clipped = start(free), start(bound)
    norm = take_step(unclipped, batch, free, None, probe=False).gradient_norm
    assert take_step(clipped, batch, bound, None, probe=False).gradient_norm == norm > 0.001
    applied = [
        torch.nn.utils.get_total_norm([part.values.grad for part in state.weights]).item()
        for state in (unclipped, clipped)
    ]
    assert applied == pytest.approx([norm, 0.001], rel=1e-3)


def test_the_schedule_sets_the_rate_of_the_step(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe("schedule.kind=linear", "schedule.warmup_share=0.0", "optimizer.learning_rate=0.01")
    state = start(settings)
    rates = [take_step(state, batch, settings, None, probe=False).learning_rate for _ in range(4)]
    assert rates == pytest.approx([0.01, 0.0075, 0.005, 0.0025])


def test_a_critic_without_weight_is_trained_and_measured(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe("losses.seraena=0.0")
    state = start(settings)
    before = snapshot(state.seraena.critic)
    step = take_step(state, batch, settings, None, probe=False)
    assert step.losses["seraena"] >= 0
    assert torch.isfinite(step.critic_loss)
    assert any(not torch.equal(old, new) for old, new in zip(before, snapshot(state.seraena.critic), strict=True))


def test_the_seraena_loss_moves_the_decoder_alone(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe("losses.encoder=0.0", "losses.decoder=0.0", "losses.reconstruction=0.0", "losses.seraena=1.0")
    state = start(settings)
    encoder, decoder = snapshot(state.model.encoder), snapshot(state.model.decoder)
    step = take_step(state, batch, settings, None, probe=True)
    assert step.probes["gradient_share_decoder/seraena"] == 1
    assert step.probes["input/max"] <= 1
    assert all(torch.equal(old, new) for old, new in zip(encoder, snapshot(state.model.encoder), strict=True))
    assert not torch.equal(decoder[-2], state.model.decoder[-1].weight)


def test_a_planted_nan_is_named_before_anything_moves(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe()
    state = start(settings)
    take_step(state, batch, settings, None, probe=False)
    before = copy.deepcopy(state.state_dict())
    latents = batch.latents.clone()
    latents[0, 0, 0, 0, 0] = float("nan")
    with pytest.raises(NonFiniteError, match=r"at step 2 encoder = nan, decoder = nan.* weights of step 1 are intact"):
        take_step(state, replace(batch, latents=latents), settings, None, probe=False)
    torch.testing.assert_close(state.state_dict(), before, rtol=0, atol=0)


def test_an_infinite_gradient_of_finite_losses_is_named(recipe: Callable[..., Recipe], batch: Batch) -> None:
    # 1e37 is a float32 and so is 1e37 times the loss, but not the square of its gradient.
    settings = recipe("losses.encoder=1e37")
    state = start(settings)
    before = snapshot(state.model)
    with pytest.raises(NonFiniteError, match="at step 1 the gradient norm = inf;"):
        take_step(state, batch, settings, None, probe=False)
    assert all(torch.equal(old, new) for old, new in zip(before, snapshot(state.model), strict=True))


def test_finite_values_pass() -> None:
    refuse_non_finite({"encoder": 0.0, "the gradient norm": 1e30}, step=1)


def test_a_probe_reads_no_value_on_its_own(recipe: Callable[..., Recipe], batch: Batch) -> None:
    """Every scalar that Python asks for is a wait for a GPU; a probe asks once, for all its numbers as one list."""
    settings = recipe()
    state = start(settings)
    counts = []
    for probe in (False, True):
        with CountScalars() as counter:
            take_step(state, batch, settings, None, probe=probe)
        counts.append(counter.scalars)
    assert counts[1] == counts[0]


class CountScalars(TorchDispatchMode):
    """Counts the tensors that are turned into Python numbers one by one."""

    scalars = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.scalars += function is torch.ops.aten._local_scalar_dense.default
        return function(*args, **(kwargs or {}))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_bfloat16_steps_stay_near_float32_ones(recipe: Callable[..., Recipe], bank: Bank) -> None:
    cuda = torch.device("cuda")
    totals = []
    for precision in ("float32", "bfloat16"):
        settings = recipe(f"training.precision={precision}")
        state = start_state(settings, cuda)
        steps = [
            take_step(state, take_batch(bank, step, settings, cuda), settings, None, probe=True) for step in range(4)
        ]
        assert all(weights.dtype == torch.float32 for weights in state.model.parameters())
        assert all(torch.isfinite(weights).all() for weights in state.average.parameters())
        totals.append([step.total for step in steps])
    # bfloat16 keeps 8 bits: about 0.4 % a value.
    assert totals[1] == pytest.approx(totals[0], rel=0.05)
    assert totals[1] != totals[0]


def snapshot(module: torch.nn.Module) -> list[torch.Tensor]:
    return [weights.detach().clone() for weights in module.parameters()]
