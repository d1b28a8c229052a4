"""The result of an evaluation: its metrics, the two formulas that join them to one number, and the rows behind them."""

from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Metric:
    """A number that runs are compared by."""

    name: str
    unit: str
    better: Literal["higher", "lower"]


#: The metrics of an evaluation by their names in the record, the objective first.
METRICS = {
    metric.name: metric
    for metric in (
        Metric("score", "/100", "higher"),
        Metric("val/psnr", "dB", "higher"),
        Metric("val/ssim", "", "higher"),
        Metric("val/flicker", "", "lower"),
        Metric("val/lpips", "", "lower"),
        Metric("val/overall", "/100", "higher"),
    )
}


def score(psnr: float, ssim: float) -> float:
    """The objective of a search: 50·PSNR/40 + 50·SSIM; 100 for 40 dB and SSIM 1."""
    return 50 * psnr / 40 + 50 * ssim


def overall(psnr: float, ssim: float, lpips: float) -> float:
    """The "Overall" of the failed run's report, kept to compare with it.

    100·(0.3·min(PSNR/35, 1) + 0.4·SSIM + 0.3·max(1 - 10·LPIPS, 0)). It is flat for an LPIPS above 0.1 and a PSNR above
    35 dB, so it is reported and not optimised.
    """
    return 100 * (0.3 * min(psnr / 35, 1) + 0.4 * ssim + 0.3 * max(1 - 10 * lpips, 0))


@dataclass(frozen=True)
class ClipScore:
    """Scores of one clip: means over its frames, and its flicker."""

    name: str
    psnr: float
    ssim: float
    flicker: float
    lpips: float | None


@dataclass(frozen=True)
class Scores:
    """Scores of a set of clips, with what a diagnosis needs to know of the output.

    Attributes:
        psnr: in dB; mean over frames, then over clips, as SSIM and LPIPS are.
        ssim: structural similarity.
        flicker: change from frame to frame that differs from the clip's (model/evaluation/flicker.py), mean over clips.
        lpips: perceptual distance, None where it could not be measured.
        overall: formula of the failed run's report on these means, None without LPIPS.
        score: the objective.
        intervals: 95 % bootstrap interval over clips by metric name; none for `val/overall`, no mean over clips.
        clips: one row per clip, in the order of the clips.
        lpips_backbone: trunk of LPIPS (alex, squeeze, vgg); numbers of different trunks do not compare.
        output_mean: mean of the raw output, before clamping.
        output_std: standard deviation of the raw output over all its values.
        target_std: the same of the clips; an output with far less has collapsed.
        saturated_share: share of the raw output at or outside the bounds 0 and 1.
        best_frame_shift: by how many frames the output is late; d > 0: its frame i + d shows the clip's frame i.
            0 is right, and also stands where no shift of up to 4 frames is clearly better.
    """

    psnr: float
    ssim: float
    flicker: float
    lpips: float | None
    overall: float | None
    score: float
    intervals: dict[str, tuple[float, float]]
    clips: tuple[ClipScore, ...]
    lpips_backbone: str | None
    output_mean: float
    output_std: float
    target_std: float
    saturated_share: float
    best_frame_shift: int

    def metrics(self) -> dict[str, float]:
        """The numbers by their names in the record; LPIPS and Overall are left out where they were not measured."""
        measured = {
            "score": self.score,
            "val/psnr": self.psnr,
            "val/ssim": self.ssim,
            "val/flicker": self.flicker,
            "val/lpips": self.lpips,
            "val/overall": self.overall,
        }
        return {name: value for name, value in measured.items() if value is not None}

    def to_json(self) -> dict[str, Any]:
        """All fields as plain values for evaluation.json."""
        # What dataclasses.asdict gives, which copies every number by itself: several ms where there are many clips.
        return vars(self) | {"intervals": dict(self.intervals), "clips": tuple(dict(vars(clip)) for clip in self.clips)}
