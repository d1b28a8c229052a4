from collections.abc import Callable
from typing import NoReturn

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.bank import Bank
from model.data.pixels import to_unit
from model.network.critic import Seraena
from model.network.taehv import TAEHV
from model.preflight.losses import check_losses
from model.preflight.report import LossCheck
from model.recipe import Recipe
from model.training.batches import Batch, take_batch
from model.training.passes import Passes
from model.training.settings import LOSSES
from model.training.state import TrainState
from model.training.step import run_forward

CPU = torch.device("cpu")
Check = Callable[..., dict[str, LossCheck]]


@pytest.fixture
def check(state: TrainState, recipe: Callable[..., Recipe], bank: Bank) -> Check:
    """The five checks with these changes of the settings."""
    return lambda *changes: check_losses(state, recipe("training.batch_size=4", *changes), bank, None, CPU)


def test_healthy_losses_pull_towards_the_frames(check: Check) -> None:
    found = check()
    assert tuple(found) == LOSSES
    assert {name: loss.error for name, loss in found.items()} == dict.fromkeys(LOSSES)
    for name in ("encoder", "decoder", "reconstruction", "seraena"):
        norm = found[name].gradient_norm
        assert norm is not None
        assert norm > 0
    for name in ("decoder", "reconstruction"):
        bounds = found[name].target.range
        assert found[name].target.frame_shift == 0
        assert found[name].target.misdirection < 1e-4
        assert bounds is not None
        assert -1e-4 < bounds.minimum < 0.2
        assert 0.8 < bounds.maximum < 1 + 1e-4
    assert [found[name].target for name in ("encoder", "perceptual", "seraena")] == [None] * 3


def test_a_gradient_is_that_of_the_weighted_loss(
    check: Check, state: TrainState, recipe: Callable[..., Recipe], bank: Bank
) -> None:
    once, thrice = check("losses.encoder=1"), check("losses.encoder=3")
    assert thrice["encoder"].value == once["encoder"].value
    assert thrice["encoder"].gradient_norm == pytest.approx(3 * (once["encoder"].gradient_norm or 0), rel=1e-5)
    # With one clip per batch's worth of clips the batch is the same for any order of them.
    settings = recipe("training.batch_size=16")
    found = check_losses(state, settings, bank, None, CPU)["encoder"]
    loss = run_forward(state, take_batch(bank, 0, settings, CPU), settings, None).losses["encoder"]
    loss.backward()
    gradients = [parameter.grad for parameter in state.model.parameters() if parameter.grad is not None]
    assert found.value == pytest.approx(loss.item(), rel=1e-5)
    assert found.gradient_norm == pytest.approx(torch.nn.utils.get_total_norm(gradients).item(), rel=1e-4)


def test_a_loss_without_weight_has_a_value_and_no_gradient(check: Check) -> None:
    found = check("losses.decoder=0")["decoder"]
    assert found.value is not None
    assert (found.weight, found.gradient_norm, found.target, found.error) == (0, None, None, None)


def test_a_loss_that_raises_hides_no_other(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    before = check()

    def raising(*_arguments: object) -> NoReturn:
        raise IndexError("too many indices")

    monkeypatch.setattr("model.training.losses.decoder_loss", raising)
    found = check()
    assert found["decoder"] == LossCheck(1.0, None, None, None, "IndexError: too many indices")
    assert {name: found[name] for name in LOSSES if name != "decoder"} == {
        name: before[name] for name in LOSSES if name != "decoder"
    }


def test_a_critic_that_raises_is_the_seraena_loss_alone(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    def raising(*_arguments: object) -> NoReturn:
        raise RuntimeError("sizes of tensors must match")

    monkeypatch.setattr(Seraena, "correct", raising)
    found = check()
    assert [name for name, loss in found.items() if loss.error] == ["seraena"]
    assert found["seraena"].error == "RuntimeError: sizes of tensors must match"


def test_a_loss_that_is_not_finite_says_so(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "model.training.losses.encoder_loss", lambda passes, *_rest: passes.latents.mean() * float("nan")
    )
    found = check()["encoder"]
    assert found.value is None
    assert (found.error or "").startswith("NonFiniteError: losses and gradient must be finite, but at step 1 encoder")


def test_a_loss_that_is_left_out_of_the_sum_has_no_gradient(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.preflight.losses.weigh", lambda _losses, _weights: {})
    assert check()["encoder"].gradient_norm == 0


def test_a_loss_that_was_never_computed_has_no_value(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.training.step.measure_losses", lambda *_arguments: {})
    assert check()["encoder"] == LossCheck(1.0, None, None, None, None)


@pytest.mark.parametrize("shift", [3, -1])
def test_shifted_targets_show_in_their_loss_alone(check: Check, monkeypatch: pytest.MonkeyPatch, shift: int) -> None:
    def shifted(passes: Passes, batch: Batch, _weight: float) -> Tensor:
        return F.mse_loss(passes.reconstruction, batch.video.roll(shift, dims=1))

    monkeypatch.setattr("model.training.losses.reconstruction_loss", shifted)
    found = check()
    assert (found["reconstruction"].target.frame_shift, found["decoder"].target.frame_shift) == (shift, 0)


def test_an_input_that_is_late_makes_the_targets_early(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    encode = TAEHV.encode
    monkeypatch.setattr(TAEHV, "encode", lambda self, video: encode(self, video.roll(1, dims=1)))
    found = check()
    assert (found["reconstruction"].target.frame_shift, found["decoder"].target.frame_shift) == (-1, -1)


def test_double_division_shows_in_the_targets(check: Check, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("model.training.batches.to_unit", lambda pixels: to_unit(pixels) / 255)
    bounds = check()["reconstruction"].target.range
    assert bounds is not None
    assert bounds.maximum < 0.005
