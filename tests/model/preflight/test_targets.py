import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from model.bank import Bank
from model.preflight.frames import most_moving
from model.preflight.report import TargetCheck
from model.preflight.targets import check_target, implied_target, misdirection


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


def checked(loss: Tensor, output: Tensor, frames: Tensor) -> TargetCheck:
    found = check_target(loss, output, frames)
    assert found is not None
    return found


@pytest.mark.parametrize("shift", [-3, -1, 0, 1, 3])
def test_a_planted_shift_is_found(output: Tensor, frames: Tensor, shift: int) -> None:
    found = checked(F.mse_loss(output, frames.roll(shift, dims=1)), output, frames)
    assert found.frame_shift == shift
    assert (found.range.mean, found.range.std) == pytest.approx((frames.mean().item(), frames.std().item()), rel=1e-3)
    assert (found.misdirection > 0.05) == (shift != 0)


def test_a_target_cropped_at_the_front_is_early(output: Tensor, frames: Tensor) -> None:
    """Output frame i against clip frame i + 3, as the failed run's evaluation had it."""
    assert checked(F.mse_loss(output[:, :-3], frames[:, 3:]), output, frames).frame_shift == -3


def test_a_target_of_another_range_shows_it(output: Tensor, frames: Tensor) -> None:
    found = checked(F.mse_loss(output, frames / 255), output, frames)
    assert found.frame_shift == 0
    assert found.range.maximum == pytest.approx(frames.max().item() / 255, abs=1e-5)
    assert found.range.minimum == pytest.approx(0, abs=1e-5)


def test_a_scaled_loss_still_points_at_its_frames(output: Tensor, frames: Tensor) -> None:
    assert checked(1e-6 * F.mse_loss(output, frames), output, frames).misdirection < 1e-3


def test_frames_of_other_clips_and_reversed_colours_are_another_direction(output: Tensor, frames: Tensor) -> None:
    """What neither shift nor range shows: the same values in other places."""
    for target in (frames.roll(1, dims=0), frames.flip(2)):
        assert checked(F.mse_loss(output, target), output, frames).misdirection > 0.05


def test_the_sine_of_known_angles() -> None:
    east, north = torch.tensor([2.0, 0.0]), torch.tensor([0.0, 1.0])
    assert misdirection(east, east) == 0
    assert misdirection(east, north) == 1
    assert misdirection(east, -east) == 1
    assert misdirection(east, torch.tensor([3.0, 3.0])) == pytest.approx(0.5**0.5)


def test_a_loss_without_a_gradient_has_no_target(output: Tensor, frames: Tensor) -> None:
    assert check_target(F.mse_loss(output.detach(), frames), output, frames) is None
    assert check_target(0 * F.mse_loss(output, frames), output, frames) is None
