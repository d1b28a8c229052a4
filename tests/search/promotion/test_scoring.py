import pytest

from model.training.checkpoint import WEIGHTS
from model.training.loop import train
from search.promotion.scoring import score_weights, with_intervals_over_sources
from search.promotion.sources import sources_of
from search.settings import recipe_of


def test_intervals_draw_sources_and_hold_the_mean(prepared_once) -> None:
    bank, scores = prepared_once.bank, prepared_once.yardsticks["mean_colour"]
    wider = with_intervals_over_sources(scores, bank, 500)
    assert set(wider.intervals) == set(scores.intervals)
    assert (wider.score, wider.clips) == (scores.score, scores.clips)
    for name, (low, high) in wider.intervals.items():
        assert low <= scores.metrics()[name] <= high
    # Every draw is made of whole sources, so no bound lies beyond the best and the worst of them.
    sources = sources_of(bank)
    means = {
        source: [clip.psnr for clip in scores.clips if sources[clip.name] == source] for source in set(sources.values())
    }
    ends = sorted(sum(values) / len(values) for values in means.values())
    low, high = wider.intervals["val/psnr"]
    assert ends[0] - 1e-9 <= low <= high <= ends[-1] + 1e-9
    assert len(means) > 1 or low == pytest.approx(high)


def test_weights_from_a_file_score_what_they_scored_in_training_to_the_last_bit(prepared_once, tiny, tmp_path) -> None:
    settings = tiny("losses.perceptual=0", "training.steps=12", "network.width=0.25")
    steps = train(
        recipe_of(settings), prepared_once.bank, perceptual=None, device=prepared_once.device, folder=tmp_path
    )
    scored = {measurement.step: measurement.scores for measurement in steps if measurement.scores is not None}
    of_file = score_weights(tmp_path / WEIGHTS, settings, prepared_once)
    in_training = scored[settings.training.steps]
    assert [(clip.psnr, clip.ssim) for clip in of_file.clips] == [(clip.psnr, clip.ssim) for clip in in_training.clips]
    assert of_file.score == in_training.score
