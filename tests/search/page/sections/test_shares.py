from dataclasses import replace

from search.page.evidence import PageEvidence
from search.page.sections.shares import LAST_POINTS, last, section, shares


def test_best_median_and_worst_have_a_bar_for_value_and_gradient(evidence: PageEvidence) -> None:
    story = [each for each in evidence.shown if each.label in ("best", "median", "worst")]
    figure = shares(evidence, story)
    assert [bar.name for bar in figure.data] == ["encoder", "decoder", "reconstruction", "perceptual", "seraena"]
    assert list(figure.data[0].y)[:2] == ["best (trial 5)<br>of the value", "best (trial 5)<br>of the gradient"]
    assert list(figure.data[0].x) == [0.2, 1.0] * 3
    assert list(figure.data[1].x) == [0.2, 0.0] * 3


def test_the_end_of_a_curve_is_averaged() -> None:
    assert last([(step, 1.0) for step in range(5)] + [(5 + step, 3.0) for step in range(LAST_POINTS)]) == 3.0
    assert last([(1, 1.0), (2, 2.0)]) == 1.5
    assert last([]) is None


def test_what_is_not_in_the_record_is_said(evidence: PageEvidence) -> None:
    assert "Not in the record" in section(replace(evidence, shares={}))
