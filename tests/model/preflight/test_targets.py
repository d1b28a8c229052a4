import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.bank import Bank
from model.preflight.frames import most_moving
from model.preflight.targets import check_target, implied_target


@pytest.fixture
def frames(bank: Bank) -> Tensor:
    return most_moving(bank, 4).training.float() / 255


@pytest.fixture
def output(frames: Tensor) -> Tensor:
    """What a fresh network makes of them: noise around grey."""
    noise = torch.randn(frames.shape, generator=torch.Generator().manual_seed(0))
    return (0.5 + 0.3 * noise).requires_grad_()


def test_the_target_of_a_mean_squared_error_is_exact(output: Tensor) -> None:
    target = torch.linspace(-1, 2, output.numel()).view_as(output)
    (gradient,) = torch.autograd.grad(F.mse_loss(output, target), output)
    found, used = implied_target(output, gradient)
    torch.testing.assert_close(found, target, rtol=0, atol=1e-5)
    assert used.tolist() == list(range(9))


def test_frames_that_are_cut_off_are_no_target(output: Tensor, frames: Tensor) -> None:
    (gradient,) = torch.autograd.grad(F.mse_loss(output[:, 2:8], frames[:, :6]), output)
    found, used = implied_target(output, gradient)
    assert used.tolist() == [2, 3, 4, 5, 6, 7]
    torch.testing.assert_close(found, frames[:, :6], rtol=0, atol=1e-5)


@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 3])
def test_a_planted_shift_is_found(output: Tensor, frames: Tensor, shift: int) -> None:
    found, bounds = check_target(F.mse_loss(output, frames.roll(shift, dims=1)), output, frames)
    assert found == shift
    assert bounds is not None
    assert (bounds.mean, bounds.std) == pytest.approx((frames.mean().item(), frames.std().item()), rel=1e-3)


def test_a_target_cropped_at_the_front_is_early(output: Tensor, frames: Tensor) -> None:
    """Output frame i against clip frame i + 3, as the failed run's evaluation had it."""
    assert check_target(F.mse_loss(output[:, :-3], frames[:, 3:]), output, frames)[0] == -3


def test_a_target_of_another_range_shows_it(output: Tensor, frames: Tensor) -> None:
    shift, bounds = check_target(F.mse_loss(output, frames / 255), output, frames)
    assert shift == 0
    assert bounds is not None
    assert bounds.maximum == pytest.approx(frames.max().item() / 255, abs=1e-5)
    assert bounds.minimum == pytest.approx(0, abs=1e-5)


def test_reversed_colours_are_neither_a_shift_nor_a_range(output: Tensor, frames: Tensor) -> None:
    """What is not measured: the same values in other channels."""
    shift, bounds = check_target(F.mse_loss(output, frames.flip(2)), output, frames)
    assert shift == 0
    assert bounds is not None
    assert bounds.mean == pytest.approx(frames.mean().item(), rel=1e-3)


def test_a_loss_that_moves_nothing_has_no_target(output: Tensor, frames: Tensor) -> None:
    for loss in (F.mse_loss(output.detach(), frames), (0 * output).sum(), torch.zeros((), requires_grad=True)):
        assert check_target(loss, output, frames) == (None, None)
