import pytest
import skimage.metrics
import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.psnr import psnr


def test_agrees_with_scikit_image_on_real_frames(clips: Tensor) -> None:
    target = to_unit(clips)
    prediction = (
        target.roll(2, dims=-1) + 0.05 * torch.randn(target.shape, generator=torch.Generator().manual_seed(0))
    ).clamp(0, 1)
    expected = [
        [
            skimage.metrics.peak_signal_noise_ratio(t.numpy(), p.numpy(), data_range=1)
            for t, p in zip(of_t, of_p, strict=True)
        ]
        for of_t, of_p in zip(target, prediction, strict=True)
    ]
    torch.testing.assert_close(psnr(prediction, target).double(), torch.tensor(expected), atol=1e-4, rtol=0)


def test_known_values() -> None:
    target = torch.zeros(1, 3, 3, 4, 4)
    offsets = torch.tensor([0.1, 0.5, 1.0]).view(1, 3, 1, 1, 1)
    torch.testing.assert_close(psnr(target + offsets, target), torch.tensor([[20.0, 6.0206, 0.0]]), atol=1e-4, rtol=0)


def test_equal_frames_get_100_db_and_not_infinity(clips: Tensor) -> None:
    target = to_unit(clips)
    assert psnr(target, target).eq(100).all()


def test_a_prediction_outside_the_range_is_clamped() -> None:
    target = torch.tensor([0.0, 1.0]).view(1, 2, 1, 1, 1).expand(1, 2, 3, 4, 4)
    assert psnr(target * 7 - 3, target).eq(100).all()


def test_shapes_are_not_broadcast() -> None:
    with pytest.raises(AssertionError):
        psnr(torch.zeros(1, 1, 3, 4, 4), torch.zeros(1, 9, 3, 4, 4))
