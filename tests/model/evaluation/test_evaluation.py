import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.evaluation import evaluate
from model.evaluation.flicker import flicker
from model.evaluation.perceptual import Perceptual
from model.evaluation.psnr import psnr
from model.evaluation.scores import overall, score
from model.evaluation.settings import EvaluationSettings
from model.evaluation.ssim import ssim

Names = tuple[str, ...]


def blur(video: Tensor) -> Tensor:
    return torch.nn.functional.avg_pool2d(video.flatten(0, 1), 5, 1, 2).view_as(video)


def test_means_over_frames_then_clips(
    clips: Tensor, names: Names, settings: EvaluationSettings, perceptual: Perceptual
) -> None:
    target = to_unit(clips)
    scores = evaluate(blur, clips, names, settings, perceptual, "cpu")
    with torch.no_grad():
        lpips = perceptual(blur(target).clamp(0, 1), target)
    assert scores.psnr == pytest.approx(float(psnr(blur(target), target).mean()), abs=1e-4)
    assert scores.ssim == pytest.approx(float(ssim(blur(target), target).mean()), abs=1e-5)
    assert scores.lpips == pytest.approx(float(lpips.mean()), abs=1e-5)
    assert scores.flicker == pytest.approx(float(flicker(blur(target), target).mean()), rel=1e-5)
    assert [clip.flicker for clip in scores.clips] == pytest.approx(flicker(blur(target), target).tolist(), rel=1e-5)
    assert scores.lpips_backbone == "squeeze"
    assert [clip.name for clip in scores.clips] == list(names)
    assert [clip.psnr for clip in scores.clips] == pytest.approx(
        psnr(blur(target), target).mean(dim=1).tolist(), abs=1e-4
    )
    assert scores.score == pytest.approx(score(scores.psnr, scores.ssim))
    assert scores.overall == pytest.approx(overall(scores.psnr, scores.ssim, float(lpips.mean())))


def test_the_input_is_float_and_its_range_is_0_to_1(clips: Tensor, names: Names, settings: EvaluationSettings) -> None:
    """A second division by 255 is what the failed run died of."""
    seen = []

    def reconstruct(video: Tensor) -> Tensor:
        seen.append(video)
        return video

    scores = evaluate(reconstruct, clips, names, settings, None, "cpu")
    assert torch.equal(torch.cat(seen), to_unit(clips))
    assert (scores.psnr, scores.ssim) == (100, 1)


def test_a_perfect_reconstruction(
    clips: Tensor, names: Names, settings: EvaluationSettings, perceptual: Perceptual
) -> None:
    scores = evaluate(lambda video: video, clips, names, settings, perceptual, "cpu")
    assert scores.lpips == 0
    assert scores.flicker == 0
    assert scores.overall == 100
    assert scores.best_frame_shift == 0
    assert scores.output_std == scores.target_std == pytest.approx(float(np.std(clips.numpy() / 255)), rel=1e-5)


def test_without_lpips_the_rest_is_the_same(
    clips: Tensor, names: Names, settings: EvaluationSettings, perceptual: Perceptual
) -> None:
    with_it = evaluate(blur, clips, names, settings, perceptual, "cpu").metrics()
    without = evaluate(blur, clips, names, settings, None, "cpu").metrics()
    assert without == {name: value for name, value in with_it.items() if name not in ("val/lpips", "val/overall")}


@pytest.mark.parametrize("batch_size", [1, 3, 16])
def test_the_batch_size_changes_nothing(
    clips: Tensor, names: Names, settings: EvaluationSettings, perceptual: Perceptual, batch_size: int
) -> None:
    expected = evaluate(blur, clips, names, settings, perceptual, "cpu")
    other = settings.model_copy(update={"batch_size": batch_size})
    scores = evaluate(blur, clips, names, other, perceptual, "cpu")
    assert scores.metrics() == pytest.approx(expected.metrics(), rel=1e-5)
    assert scores.intervals == {name: pytest.approx(bounds, rel=1e-5) for name, bounds in expected.intervals.items()}
    assert scores.output_std == pytest.approx(expected.output_std, rel=1e-5)


def test_the_same_again_is_the_same_bit_for_bit(clips: Tensor, names: Names, settings: EvaluationSettings) -> None:
    assert evaluate(blur, clips, names, settings, None, "cpu") == evaluate(blur, clips, names, settings, None, "cpu")


def test_intervals_hold_the_means_that_they_are_of(clips: Tensor, names: Names, settings: EvaluationSettings) -> None:
    scores = evaluate(blur, clips, names, settings, None, "cpu")
    assert scores.intervals.keys() == {"val/psnr", "val/ssim", "val/flicker", "score"}
    for name, (low, high) in scores.intervals.items():
        assert low < scores.metrics()[name] < high


def test_the_raw_output_is_described_before_it_is_clamped(
    clips: Tensor, names: Names, settings: EvaluationSettings
) -> None:
    def half_too_bright(video: Tensor) -> Tensor:
        output = torch.full_like(video, 0.25)
        output[..., ::2] = 3.25
        return output

    scores = evaluate(half_too_bright, clips, names, settings, None, "cpu")
    assert scores.output_mean == pytest.approx(1.75)
    assert scores.output_std == pytest.approx(1.5)
    assert scores.saturated_share == pytest.approx(0.5)


def test_values_at_the_bounds_count_as_saturated(clips: Tensor, names: Names, settings: EvaluationSettings) -> None:
    assert evaluate(torch.zeros_like, clips, names, settings, None, "cpu").saturated_share == 1


def test_a_late_output_is_noticed(clips: Tensor, names: Names, settings: EvaluationSettings) -> None:
    scores = evaluate(lambda video: blur(video).roll(3, dims=1), clips, names, settings, None, "cpu")
    assert scores.best_frame_shift == 3


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_an_output_that_is_not_finite_is_an_error(
    clips: Tensor, names: Names, settings: EvaluationSettings, value: float
) -> None:
    def diverged(video: Tensor) -> Tensor:
        output = video.clone()
        output[-1, 4, 0, 5, 5] = value
        return output

    with pytest.raises(
        RuntimeError, match="must be finite, but has NaN or infinity in 2 of 3 clips, first in 'coffee'"
    ):
        evaluate(diverged, clips, names, settings, None, "cpu")


def test_another_shape_is_an_error(clips: Tensor, names: Names, settings: EvaluationSettings) -> None:
    with pytest.raises(ValueError, match=r"\(2, 9, 3, 32, 32\), but has \(2, 6, 3, 32, 32\)"):
        evaluate(lambda video: video[:, 3:], clips, names, settings, None, "cpu")


def test_no_clips_are_an_error(clips: Tensor, settings: EvaluationSettings) -> None:
    with pytest.raises(ValueError, match="at least one clip"):
        evaluate(lambda video: video, clips[:0], (), settings, None, "cpu")


def test_half_precision_outputs_are_scored_in_float32(
    clips: Tensor, names: Names, settings: EvaluationSettings
) -> None:
    whole = evaluate(lambda video: video.bfloat16().float(), clips, names, settings, None, "cpu")
    half = evaluate(lambda video: video.bfloat16(), clips, names, settings, None, "cpu")
    assert dataclasses.asdict(half) == dataclasses.asdict(whole)


@pytest.mark.gpu
def test_a_gpu_gives_the_same_scores(clips: Tensor, names: Names, settings: EvaluationSettings) -> None:
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    on_cpu = evaluate(lambda video: 0.9 * video, clips, names, settings, None, "cpu")
    on_gpu = evaluate(lambda video: 0.9 * video, clips, names, settings, None, "cuda")
    assert on_gpu.metrics() == pytest.approx(on_cpu.metrics(), rel=1e-4)
