import math
import re
from dataclasses import replace

import optuna
import pytest

from search.page.colours import OUTLINE, SCALE
from search.page.evidence import PageEvidence
from search.page.frame import own_file
from search.page.importance import RELIABLE_TRIALS
from search.page.sections.parameters import (
    BELOW,
    MARGIN,
    best_region,
    complete_rows,
    coordinates,
    importance_section,
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


def test_axes_are_logarithmic_with_the_values_as_labels_and_a_weight_of_0_stands_below() -> None:
    (lines,) = coordinates([row(1, 0.01), row(2, 0.0, "cosine"), row(3, 0.1, "cosine")]).data
    dimensions = {dimension.label: dimension for dimension in lines.dimensions}
    encoder = dimensions["encoder"]
    assert list(encoder["values"]) == [pytest.approx(-2), pytest.approx(-2 - BELOW), pytest.approx(-1)]
    assert list(encoder.ticktext) == ["0", "0.01", "0.03", "0.1"]
    assert list(encoder.tickvals)[1:] == [pytest.approx(-2), pytest.approx(math.log10(0.03)), pytest.approx(-1)]
    assert list(encoder.range) == [pytest.approx(-2 - BELOW), pytest.approx(-1 + MARGIN)]
    assert dimensions["learning rate"].ticktext == ("0.1",)
    assert list(dimensions["schedule"]["values"]) == [1, 0, 0]
    assert list(dimensions["schedule"].ticktext) == ["cosine", "linear"]
    assert list(lines.line.color) == [49.0, 48.0, 47.0]


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


def test_few_trials_come_with_a_warning_and_enough_of_them_without(evidence: PageEvidence) -> None:
    text = importance_section(evidence)
    assert "Only 5 trials: below 20" in text
    assert evidence.among is not None
    many = optuna.create_study(direction="maximize")
    many.add_trials(evidence.among.trials * 4)
    assert "Only" not in importance_section(replace(evidence, among=many))
    many.add_trial(many.trials[0])
    fewer = optuna.create_study(direction="maximize")
    fewer.add_trials(many.trials[: RELIABLE_TRIALS - 1])
    assert "Only 19 trials" in importance_section(replace(evidence, among=fewer))
    assert '"PED-ANOVA"' in text
    assert '"fANOVA"' in text


def test_the_two_that_matter_most_are_drawn_together(evidence: PageEvidence) -> None:
    # Only the encoder's weight and the schedule differ between these trials; then two that never do are said to matter.
    text = interaction_section(evidence)
    axes = re.findall(r'"(?:xaxis|yaxis)":\{"title":\{"text":"([^"]*)"', text)
    assert (set(axes), "encoder and schedule, the two most important by fANOVA" in text) == (
        {"encoder", "schedule"},
        True,
    )
    shares = {"learning_rate": 0.7, "seraena": 0.3} | dict.fromkeys(("encoder", "schedule"), 0.0)
    text = interaction_section(replace(evidence, importances={"fANOVA": shares}))
    assert set(re.findall(r'"(?:xaxis|yaxis)":\{"title":\{"text":"([^"]*)"', text)) == {"learning rate", "seraena"}


def test_colours_are_seen_on_both_backgrounds() -> None:
    backgrounds = re.findall(r"--back:(#[0-9a-f]+)", own_file("style.css"))
    assert len(backgrounds) == 2
    for colour in (*SCALE, OUTLINE):
        assert all(contrast(colour, background) >= 2.8 for background in backgrounds), colour
    (lines,) = coordinates([row(1, 0.01), row(2, 0.1)]).data
    assert [colour for _, colour in lines.line.colorscale] == SCALE


def contrast(one: str, other: str) -> float:
    """WCAG's contrast of two colours; 3 is what it asks of graphics."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_pruned_trials_are_not_compared(evidence: PageEvidence) -> None:
    assert [each.number for each in complete_rows(evidence)] == [5, 6, 4, 3, 7]


def test_without_complete_trials_there_are_sentences(evidence: PageEvidence) -> None:
    empty = replace(evidence, rows=(), among=None, importances={})
    assert "Two complete trials are needed" in parallel_section(empty)
    assert "at least four complete trials" in importance_section(empty)
    assert "No complete trial has a score yet" in slices_section(empty)
    assert "too few complete trials" in interaction_section(empty)
