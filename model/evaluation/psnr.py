"""Peak signal-to-noise ratio."""

from torch import Tensor

#: Smallest mean squared error that counts: equal frames get 100 dB instead of infinity, so means stay finite.
SMALLEST_MSE = 1e-10


def psnr(prediction: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of every frame in dB, at most 100.

    10·log10(1 / max(MSE, 1e-10)), the MSE over channels and pixels of a frame, for a data range of 1.

    Args:
        prediction: float32 NTCHW; values outside [0, 1] are clamped, as a screen would show them.
        target: float32 NTCHW in [0, 1].

    Returns:
        float32 [N, T] on the same device.
    """
    assert prediction.shape == target.shape, (prediction.shape, target.shape)
    mse = (prediction.clamp(0, 1) - target).square().mean(dim=(2, 3, 4))
    return -10 * mse.clamp(min=SMALLEST_MSE).log10()
