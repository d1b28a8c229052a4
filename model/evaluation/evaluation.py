"""Scores of a reconstruction on a fixed set of clips."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor

from model.data.pixels import to_unit
from model.evaluation.alignment import best_frame_shift, shift_gains
from model.evaluation.bootstrap import interval
from model.evaluation.flicker import flicker
from model.evaluation.perceptual import Perceptual
from model.evaluation.psnr import psnr
from model.evaluation.scores import ClipScore, Scores, overall, score
from model.evaluation.settings import EvaluationSettings
from model.evaluation.ssim import ssim

#: Takes float32 NTCHW in [0, 1], returns the raw (unclamped) video of the same shape.
Reconstruct = Callable[[Tensor], Tensor]


class NonFiniteOutputError(RuntimeError):
    """A reconstruction has NaN or infinity in it, so that it is no picture."""


#: All results draw the same resamples of the clips.
BOOTSTRAP_SEED = 0


def evaluate(
    reconstruct: Reconstruct,
    clips: Tensor,
    names: Sequence[str],
    settings: EvaluationSettings,
    perceptual: Perceptual | None,
    device: torch.device | str,
) -> Scores:
    """Score a reconstruction of clips; the batch size changes no number beyond rounding.

    Args:
        reconstruct: is given batches on `device`, without gradients.
        clips: uint8 NTCHW, at least one.
        names: of the clips.
        settings: batch size and number of resamples.
        perceptual: LPIPS on `device`; None leaves LPIPS and Overall out.
        device: where to compute.

    Raises:
        ValueError: there are no clips, or the output has another shape than its clips.
        NonFiniteOutputError: the output has values that are not finite.
    """
    assert len(names) == len(clips), (len(names), len(clips))
    if len(clips) == 0:
        raise ValueError("an evaluation needs at least one clip, but there are none; add videos")
    with torch.inference_mode():
        batches = [
            measure(reconstruct, to_unit(batch.to(device)), perceptual) for batch in clips.split(settings.batch_size)
        ]
    # Nothing came to the host before this, so a GPU never waits between batches.
    gains = torch.cat([batch.pop("shift_gains") for batch in batches]).cpu()
    table = torch.cat([torch.stack(list(batch.values())) for batch in batches], dim=1).double().cpu()
    columns = dict(zip(batches[0], table, strict=True))
    refuse_non_finite(columns["output_mean"], names)
    return summarise(columns, best_frame_shift(gains), names, settings, perceptual)


def measure(reconstruct: Reconstruct, target: Tensor, perceptual: Perceptual | None) -> dict[str, Tensor]:
    """Everything that is measured of a batch: a column [N] for each quantity and the gains [N, 9] of frame shifts."""
    output = reconstruct(target).float()
    if output.shape != target.shape:
        raise ValueError(
            f"a reconstruction must have the shape of its clips, {tuple(target.shape)}, but has {tuple(output.shape)}; "
            "give clips of 8k+1 frames whose sides are multiples of the variant's stride"
        )
    clip_dims = (1, 2, 3, 4)
    output_variance, output_mean = torch.var_mean(output, dim=clip_dims, correction=0)
    target_variance, target_mean = torch.var_mean(target, dim=clip_dims, correction=0)
    columns = {
        "psnr": psnr(output, target).mean(dim=1),
        "ssim": ssim(output, target).mean(dim=1),
        "flicker": flicker(output, target),
        "output_mean": output_mean,
        "output_variance": output_variance,
        "target_mean": target_mean,
        "target_variance": target_variance,
        "saturated": ((output <= 0) | (output >= 1)).float().mean(dim=clip_dims),
        "shift_gains": shift_gains(output, target),
    }
    if perceptual is not None:
        columns["lpips"] = perceptual(output.clamp(0, 1), target).mean(dim=1)
    return columns


def refuse_non_finite(output_mean: Tensor, names: Sequence[str]) -> None:
    """Stop at an output that is no picture: its scores would be NaN, or finite by the clamping of infinities."""
    bad = (~output_mean.isfinite()).nonzero().flatten().tolist()
    if bad:
        raise NonFiniteOutputError(
            f"the output must be finite, but has NaN or infinity in {len(bad)} of {len(names)} clips, "
            f"first in '{names[bad[0]]}'; "
            "the weights have diverged, take an earlier checkpoint or a lower learning rate"
        )


def summarise(
    columns: Mapping[str, Tensor],
    frame_shift: int,
    names: Sequence[str],
    settings: EvaluationSettings,
    perceptual: Perceptual | None,
) -> Scores:
    """Means and intervals over clips."""
    psnrs, ssims, flickers = (columns[name].tolist() for name in ("psnr", "ssim", "flicker"))
    lpipses = columns["lpips"].tolist() if perceptual else [None] * len(names)
    clips = tuple(map(ClipScore, names, psnrs, ssims, flickers, lpipses))
    values = {"val/psnr": psnrs, "val/ssim": ssims, "val/flicker": flickers}
    values["score"] = [score(clip.psnr, clip.ssim) for clip in clips]
    if perceptual:
        values["val/lpips"] = lpipses
    mean = {name: float(column.mean()) for name, column in columns.items()}
    lpips = mean["lpips"] if perceptual else None
    return Scores(
        psnr=mean["psnr"],
        ssim=mean["ssim"],
        flicker=mean["flicker"],
        lpips=lpips,
        overall=None if lpips is None else overall(mean["psnr"], mean["ssim"], lpips),
        score=score(mean["psnr"], mean["ssim"]),
        intervals={
            name: interval(of_clips, settings.bootstrap_resamples, BOOTSTRAP_SEED) for name, of_clips in values.items()
        },
        clips=clips,
        lpips_backbone=perceptual.backbone if perceptual else None,
        output_mean=mean["output_mean"],
        output_std=pooled_std(columns["output_mean"], columns["output_variance"]),
        target_std=pooled_std(columns["target_mean"], columns["target_variance"]),
        saturated_share=mean["saturated"],
        best_frame_shift=frame_shift,
    )


def pooled_std(means: Tensor, variances: Tensor) -> float:
    """Standard deviation over all values of clips of equal size, from each clip's mean and variance."""
    return float((variances.mean() + means.var(correction=0)).sqrt())
