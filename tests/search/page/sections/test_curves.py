import html
from dataclasses import replace

from search.page.evidence import PageEvidence
from search.page.frame import escape
from search.page.sections.curves import curves, curves_section, history, history_section, label


def test_scores_stand_at_their_trials_with_the_best_so_far(evidence: PageEvidence) -> None:
    figure = history(evidence)
    assert figure is not None
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["complete"].x) == [3, 4, 5, 6, 7]
    assert list(traces["pruned"].x) == [8]
    assert list(traces["best so far"].y) == [30.0, 32.0, 36.0, 36.0, 36.0]
    names = {name.replace("_", " ") for name in evidence.yardsticks}
    assert {line.text for line in figure.layout.annotations} == names


def test_a_yardstick_far_off_leaves_the_trials_their_room_and_is_named(evidence: PageEvidence) -> None:
    close = tuple(
        replace(row, metrics=row.metrics | {"score": 100.0 + row.place / 10}) for row in evidence.rows if row.metrics
    )
    text = history_section(replace(evidence, rows=close))
    assert f"Too far off to be drawn: black {evidence.yardsticks['black'].score:.1f}, " in text
    figure = history(replace(evidence, rows=close))
    assert figure is not None
    assert not figure.layout.annotations
    assert "Too far" not in history_section(evidence)
    assert "the reference's own round trip" in html.unescape(history_section(evidence))


def test_all_curves_are_one_trace_and_the_named_ones_stand_out(evidence: PageEvidence) -> None:
    figure = curves(evidence)
    assert figure is not None
    everything, *named = figure.data
    assert list(everything.x)[:3] == [2, 4, None]
    assert list(everything.x).count(None) == 6
    assert [trace.name for trace in named] == [
        "best (trial 5)",
        escape("the user's new settings (trial 4)"),
        escape("the user's old settings (trial 3)"),
    ]
    assert list(named[0].y) == [18.0, 36.0]


def test_without_scores_there_are_sentences(evidence: PageEvidence) -> None:
    empty = replace(evidence, rows=(), curves={}, shown=())
    assert "No trial has a score yet" in history_section(empty)
    assert "there is no curve to draw" in curves_section(empty)


def test_points_are_called_by_their_baseline_or_number(evidence: PageEvidence) -> None:
    assert label(evidence.rows[0]) == "trial 5"
    assert label(replace(evidence.rows[0], name="<b>")) == "&lt;b&gt;"
