import pytest
from torch import Tensor

from model.evaluation.evaluation import evaluate
from model.evaluation.over_sources import with_intervals_over_sources
from model.evaluation.settings import EvaluationSettings


def test_intervals_draw_whole_sources(clips: Tensor, names: tuple[str, ...], settings: EvaluationSettings) -> None:
    scores = evaluate(lambda video: video * 0.9, clips, names, settings, None, "cpu")
    sources = {name: "a" if place < len(names) // 2 else "b" for place, name in enumerate(names)}
    drawn = with_intervals_over_sources(scores, sources, 500)
    assert set(drawn.intervals) == set(scores.intervals)
    assert (drawn.score, drawn.clips) == (scores.score, scores.clips)
    # Of two sources a draw has one of them twice, or both: its bounds are their means.
    of = {source: [clip.psnr for clip in scores.clips if sources[clip.name] == source] for source in "ab"}
    ends = sorted(sum(values) / len(values) for values in of.values())
    assert drawn.intervals["val/psnr"] == (pytest.approx(ends[0]), pytest.approx(ends[1]))


def test_of_one_source_clips_are_drawn(clips: Tensor, names: tuple[str, ...], settings: EvaluationSettings) -> None:
    scores = evaluate(lambda video: video * 0.9, clips, names, settings, None, "cpu")
    low, high = with_intervals_over_sources(scores, dict.fromkeys(names, "a"), 500).intervals["val/psnr"]
    assert min(clip.psnr for clip in scores.clips) <= low < high <= max(clip.psnr for clip in scores.clips)
