"""Repeats and confirmations made by hand."""

from collections.abc import Callable, Sequence

import pytest

from search.promotion.candidates import Candidate
from search.promotion.confirmation import Confirmed
from search.promotion.repeats import Repeat


def make_repeat(
    trial: int, seed: int, steps: int, psnr: float, ssim: float = 0.5, lpips: float | None = None, verdict: str = "ok"
) -> Repeat:
    """A repeat whose clips have 2 dB below, exactly, and 2 dB above this PSNR."""
    metrics = {"score": 50 * psnr / 40 + 50 * ssim, "val/psnr": psnr, "val/ssim": ssim}
    metrics |= {} if lpips is None else {"val/lpips": lpips}
    clips = {f"film{place}.mp4 #0": (psnr + shift, ssim) for place, shift in enumerate((-2.0, 0.0, 2.0))}
    curve = tuple((steps * part // 10, psnr - (10 - part) / 10) for part in range(1, 11))
    return Repeat(trial, seed, steps, metrics, clips, curve, verdict, f"run-{trial}-{seed}-{steps}")


@pytest.fixture
def repeat() -> Callable[..., Repeat]:
    return make_repeat


@pytest.fixture
def confirmed() -> Callable[..., Confirmed]:
    """A setting with a PSNR (dB) for each seed, after 1000 steps and, 1 dB more, after 5000."""

    def make(trial: int, psnrs: Sequence[float], baseline: str = "", verdict: str = "ok") -> Confirmed:
        candidate = Candidate(trial, baseline, 50.0, {})
        short = tuple(make_repeat(trial, seed, 1000, psnr) for seed, psnr in enumerate(psnrs, start=1))
        long = tuple(
            make_repeat(trial, seed, 5000, psnr + 1, verdict=verdict) for seed, psnr in enumerate(psnrs, start=1)
        )
        return Confirmed(candidate, short, long)

    return make
