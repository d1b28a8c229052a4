"""Structural similarity."""

import torch
from torch import Tensor

#: Window of Wang et al. 2004: 11 x 11 Gaussian, sigma 1.5 px.
WINDOW_PX = 11
SIGMA_PX = 1.5
#: (0.01 · range)² and (0.03 · range)² for a data range of 1, from the same paper.
C1 = 0.01**2
C2 = 0.03**2


def ssim(prediction: Tensor, target: Tensor) -> Tensor:
    """Structural similarity of every frame, 1 for equal frames.

    Gaussian window, population covariance, data range 1, mean over RGB and over the pixels whose window lies inside the
    frame (Wang, Bovik, Sheikh and Simoncelli: Image quality assessment, 2004). scikit-image gives the same with
    gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1, without its 5 px border.

    Args:
        prediction: float32 NTCHW; values outside [0, 1] are clamped, as a screen would show them.
        target: float32 NTCHW in [0, 1].

    Returns:
        float32 [N, T] on the same device.

    Raises:
        ValueError: a frame is smaller than the window.
    """
    assert prediction.shape == target.shape, (prediction.shape, target.shape)
    if min(target.shape[-2:]) < WINDOW_PX:
        height, width = target.shape[-2:]
        raise ValueError(f"SSIM needs frames of at least {WINDOW_PX} x {WINDOW_PX} px, but they are {width} x {height}")
    # Covariances do not change with the origin, and around 0 float32 loses least when squares of means are subtracted.
    x, y = prediction.clamp(0, 1) - 0.5, target - 0.5
    mean_x, mean_y = blur(x), blur(y)
    variance_x = blur(x * x) - mean_x * mean_x
    variance_y = blur(y * y) - mean_y * mean_y
    covariance = blur(x * y) - mean_x * mean_y
    mean_x, mean_y = mean_x + 0.5, mean_y + 0.5
    luminance = (2 * mean_x * mean_y + C1) / (mean_x * mean_x + mean_y * mean_y + C1)
    structure = (2 * covariance + C2) / (variance_x + variance_y + C2)
    return (luminance * structure).mean(dim=(2, 3, 4))


def blur(images: Tensor) -> Tensor:
    """Gaussian means of all windows inside the image: [..., H, W] -> [..., H - 10, W - 10].

    Sums of shifted views and not a convolution: cuDNN rounds convolutions to TF32 by default, which is too coarse here.
    """
    offsets = torch.arange(WINDOW_PX, dtype=torch.float64) - WINDOW_PX // 2
    weights = torch.exp(-0.5 * (offsets / SIGMA_PX) ** 2)
    weights /= weights.sum()
    for dim in (-2, -1):
        length = images.shape[dim] - WINDOW_PX + 1
        views = [images.narrow(dim, start, length) for start in range(WINDOW_PX)]
        images = torch.zeros_like(views[0])
        for view, weight in zip(views, weights.tolist(), strict=True):
            images = images.add_(view, alpha=weight)
    return images
