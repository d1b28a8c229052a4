import pytest

from search.promotion.scoring import with_intervals_over_sources
from search.promotion.sources import sources_of


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
