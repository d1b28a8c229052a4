import math

import pytest
import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.baselines import average_8x8, baselines, mean_colour
from model.evaluation.perceptual import Perceptual
from model.evaluation.settings import EvaluationSettings


def test_hand_computed_on_a_constant_clip(settings: EvaluationSettings, perceptual: Perceptual) -> None:
    """51 of 255 is 0.2: black is 0.2 away (13.98 dB), grey 0.3 (10.46 dB), its own colour nothing."""
    clip = torch.full((1, 9, 3, 32, 32), 51, dtype=torch.uint8)
    found = baselines(clip, ["constant"], settings, perceptual, "cpu")
    assert list(found) == ["black", "grey", "mean_colour", "average_8x8"]
    assert found["black"].psnr == pytest.approx(-20 * math.log10(0.2), abs=1e-4)
    assert found["grey"].psnr == pytest.approx(-20 * math.log10(0.3), abs=1e-4)
    # Without variance SSIM is its luminance term: (2ab + C1) / (a² + b² + C1).
    assert found["black"].ssim == pytest.approx(1e-4 / (0.04 + 1e-4), abs=1e-5)
    assert found["grey"].ssim == pytest.approx((0.2 + 1e-4) / (0.29 + 1e-4), abs=1e-4)
    for name in ("mean_colour", "average_8x8"):
        assert found[name].psnr == pytest.approx(100)
        assert found[name].lpips == pytest.approx(0, abs=1e-5)
    assert found["black"].output_std == 0


def test_mean_colour_is_of_each_frame_and_channel() -> None:
    video = torch.zeros(1, 2, 3, 4, 4)
    video[0, 1, 2, :, :2] = 1
    expected = torch.zeros_like(video)
    expected[0, 1, 2] = 0.5
    assert torch.equal(mean_colour(video), expected)


def test_average_8x8_keeps_blocks_and_loses_what_is_in_them() -> None:
    blocks = torch.rand(2, 3, 3, 2, 4, generator=torch.Generator().manual_seed(0))
    video = blocks.repeat_interleave(8, -1).repeat_interleave(8, -2)
    torch.testing.assert_close(average_8x8(video), video)
    checker = (torch.arange(16).view(-1, 1) + torch.arange(32)).remainder(2).float()
    torch.testing.assert_close(average_8x8(video + checker - 0.5), video)


def test_order_on_real_frames(clips: Tensor, names: tuple[str, ...], settings: EvaluationSettings) -> None:
    found = baselines(clips, names, settings, None, "cpu")
    assert found["average_8x8"].psnr > found["mean_colour"].psnr > found["grey"].psnr
    variance = to_unit(clips).var(dim=(-2, -1), correction=0).mean(dim=2)  # mean colour errs by each frame's variance
    assert found["mean_colour"].psnr == pytest.approx(float((-10 * variance.log10()).mean()), abs=1e-3)
