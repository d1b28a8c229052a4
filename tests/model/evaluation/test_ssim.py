import numpy as np
import pytest
import skimage.metrics
import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.ssim import ssim


def scikit_image_ssim(prediction: Tensor, target: Tensor) -> float:
    """Mean over the region where the window lies inside the frame, of one CHW frame."""
    _, full = skimage.metrics.structural_similarity(
        prediction.double().numpy(),
        target.double().numpy(),
        gaussian_weights=True,
        sigma=1.5,
        use_sample_covariance=False,
        data_range=1,
        channel_axis=0,
        full=True,
    )
    return float(np.mean(full[:, 5:-5, 5:-5]))


@pytest.mark.parametrize("damage", ["noise", "shift", "dark", "flat"])
def test_agrees_with_scikit_image_on_real_frames(clips: Tensor, damage: str) -> None:
    target = to_unit(clips[:, ::4])
    noise = torch.randn(target.shape, generator=torch.Generator().manual_seed(0))
    prediction = {
        "noise": (target + 0.05 * noise).clamp(0, 1),
        "shift": target.roll(3, dims=-1),
        "dark": target / 255,  # frames that were divided twice
        "flat": target.mean(dim=(-2, -1), keepdim=True).expand_as(target),
    }[damage]
    expected = [
        [scikit_image_ssim(p, t) for p, t in zip(*pair, strict=True)] for pair in zip(prediction, target, strict=True)
    ]
    torch.testing.assert_close(ssim(prediction, target).double(), torch.tensor(expected).double(), atol=1e-4, rtol=0)


def test_equal_frames_get_1_and_order_does_not_matter(clips: Tensor) -> None:
    target = to_unit(clips)
    other = target.flip(-1)
    assert ssim(target, target).eq(1).all()
    torch.testing.assert_close(ssim(target, other), ssim(other, target))


def test_a_flat_grey_frame_does_not_pass_for_similar(clips: Tensor) -> None:
    """Some implementations take the range from the frames themselves and give a constant frame 1."""
    target = to_unit(clips)
    assert ssim(torch.zeros_like(target), target).max() < 0.2


def test_a_prediction_outside_the_range_is_clamped() -> None:
    target = (torch.rand(1, 1, 3, 16, 16, generator=torch.Generator().manual_seed(0)) > 0.5).float()
    assert ssim(target * 7 - 3, target).eq(1).all()


def test_frames_smaller_than_the_window_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 11 x 11 px, but they are 16 x 10"):
        ssim(torch.zeros(1, 1, 3, 10, 16), torch.zeros(1, 1, 3, 10, 16))
