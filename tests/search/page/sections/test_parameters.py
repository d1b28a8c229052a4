from dataclasses import replace

import pytest

from search.page.evidence import PageEvidence
from search.page.sections.parameters import (
    LOG_OF_ZERO,
    best_region,
    complete_rows,
    coordinates,
    importance_section,
    interaction,
    interaction_section,
    num_best,
    parallel_section,
    slices,
    slices_section,
)
from search.ranking import Row


def row(place: int, encoder: float, schedule: str = "linear") -> Row:
    parameters = dict.fromkeys(("decoder", "reconstruction", "perceptual", "seraena", "learning_rate"), 0.1)
    metrics = {"score": 50.0 - place}
    return Row(place, place, "", "COMPLETE", metrics, {"encoder": encoder, **parameters, "schedule": schedule}, "run")


def test_axes_are_powers_of_ten_and_a_weight_of_0_stands_below() -> None:
    (lines,) = coordinates([row(1, 0.01), row(2, 0.0, "cosine")]).data
    dimensions = {dimension.label: dimension for dimension in lines.dimensions}
    assert list(dimensions["log10 encoder"]["values"]) == [pytest.approx(-2), LOG_OF_ZERO]
    assert list(dimensions["schedule"]["values"]) == [1, 0]
    assert list(dimensions["schedule"].ticktext) == ["cosine", "linear"]
    assert list(lines.line.color) == [49.0, 48.0]


def test_one_trial_that_broke_leaves_the_others_their_colours() -> None:
    rows = [row(place, 0.1) for place in range(1, 20)] + [row(1000, 0.1)]
    (lines,) = coordinates(rows).data
    assert (lines.line.cmin, lines.line.cmax) == (50.0 - 18, 49.0)


def test_the_best_region_is_that_of_the_best_fifth_but_of_three_at_least() -> None:
    few = [row(1, 0.2), row(2, 0.1), row(3, 0.4), row(4, 9.0)]
    assert num_best(few) == 3
    assert best_region(few, "encoder") == (0.1, 0.4)
    assert best_region(few[:2], "encoder") is None
    assert best_region([row(place, 0.0) for place in range(3)], "encoder") is None
    assert num_best([row(place, 0.1) for place in range(50)]) == 10


def test_each_parameter_has_its_plot_and_zeros_are_not_on_logarithmic_axes() -> None:
    searched = dict.fromkeys(
        ("encoder", "decoder", "reconstruction", "perceptual", "seraena", "learning_rate"), (0.01, 1.0)
    )
    figure = slices([row(1, 0.2), row(2, 0.0), row(3, 10.0)], searched)
    assert len(figure.data) == 7
    assert list(figure.data[0].x) == [0.2, 10.0]
    assert figure.layout.xaxis.type == "log"
    # From the low end of the range to the baseline outside it, as powers of ten.
    assert list(figure.layout.xaxis.range) == [pytest.approx(-2.1), pytest.approx(1.1)]
    assert list(figure.data[6].x) == ["linear"] * 3
    assert len(figure.layout.shapes) == 6


def test_few_trials_come_with_a_warning(evidence: PageEvidence) -> None:
    text = importance_section(evidence)
    assert "Only 5 trials: below 20" in text
    assert '"PED-ANOVA"' in text
    assert '"fANOVA"' in text


def test_the_two_that_matter_most_are_drawn_together(evidence: PageEvidence) -> None:
    assert evidence.among is not None
    figure = interaction(evidence.among, "encoder", "schedule")
    assert figure.layout.xaxis.title.text == "encoder"
    assert "two most important by fANOVA" in interaction_section(evidence)


def test_pruned_trials_are_not_compared(evidence: PageEvidence) -> None:
    assert [each.number for each in complete_rows(evidence)] == [5, 6, 4, 3, 7]


def test_without_complete_trials_there_are_sentences(evidence: PageEvidence) -> None:
    empty = replace(evidence, rows=(), among=None, importances={})
    assert "Two complete trials are needed" in parallel_section(empty)
    assert "at least four complete trials" in importance_section(empty)
    assert "No complete trial has a score yet" in slices_section(empty)
    assert "too few complete trials" in interaction_section(empty)
