import dataclasses

from rich.console import Console
from torch import Tensor

from model.evaluation.baselines import baselines
from model.evaluation.evaluation import evaluate
from model.evaluation.perceptual import Perceptual
from model.evaluation.settings import EvaluationSettings
from model.evaluation.table import remarks, to_table


def test_every_number_fits_on_a_terminal_of_80_columns(
    clips: Tensor, names: tuple[str, ...], settings: EvaluationSettings, perceptual: Perceptual
) -> None:
    floors = baselines(clips, names, settings, perceptual, "cpu")
    scores = evaluate(lambda video: video.flip(-1), clips, names, settings, perceptual, "cpu")
    console = Console(width=80)
    with console.capture() as captured:
        console.print(to_table("title", scores, floors))
    lines = {line.split()[0]: line.split() for line in captured.get().splitlines() if "↑" in line or "↓" in line}
    assert lines.keys() == scores.metrics().keys()
    low, high = scores.intervals["val/psnr"]
    trivial = [f"{floor.psnr:.2f}" for floor in floors.values()]
    assert lines["val/psnr"] == ["val/psnr", "dB", "↑", f"{scores.psnr:.2f}", f"{low:.2f}–{high:.2f}", *trivial]
    assert lines["val/lpips"][1:3] == ["↓", f"{scores.lpips:.3f}"]


def test_remarks_name_the_trivial_outputs_that_win_and_a_shift(
    clips: Tensor, names: tuple[str, ...], settings: EvaluationSettings
) -> None:
    floors = baselines(clips, names, settings, None, "cpu")
    good = evaluate(lambda video: video * 0.95, clips, names, settings, None, "cpu")
    assert remarks(good, floors) == []
    (unbeaten,) = remarks(floors["mean_colour"], floors)
    assert "does not beat mean colour, average 8x8:" in unbeaten
    (shift,) = remarks(dataclasses.replace(good, best_frame_shift=-3), floors)
    assert "3 frames early" in shift
