"""What a study's diagnosis looks at."""

import json
from collections.abc import Callable

from search.opening import OpenStudy
from search.promotion.repeats import finished_repeats
from search.ranking import rank
from search.settings import Settings
from search.study_evidence import study_evidence
from tests.search.recorded_trials import add_repeat
from tracking.diagnosis import diagnose
from tracking.recorded import PREFLIGHT


def test_the_best_trial_stands_for_the_study(
    opened: OpenStudy, tiny: Callable[..., Settings], add_trial: Callable[..., int]
) -> None:
    for score in (20.0, 30.0, 25.0):
        add_trial(opened.study, score)
    settings = tiny()
    evidence = study_evidence(opened, settings, rank(opened.study))
    assert evidence.study is not None
    assert evidence.study.num_trials == 3
    assert evidence.study.top_scores == (30.0, 25.0)
    assert evidence.study.best.keys() == evidence.study.space.keys()
    assert "schedule" not in evidence.study.space
    assert evidence.study.space["learning_rate"] == settings.search.space.learning_rate
    assert evidence.evaluation is not None
    assert evidence.evaluation["score"] == 30.0
    assert evidence.baselines.keys() == {"black", "grey", "mean_colour", "average_8x8"}


def test_a_study_that_trained_nothing_now_has_the_preflight_of_its_record(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    assert study_evidence(opened, tiny(), []).preflight is None
    opened.parent.json(PREFLIGHT, {"seconds": 3.0})
    evidence = study_evidence(opened, tiny(), [])
    assert json.dumps(evidence.preflight) == '{"seconds": 3.0}'
    assert evidence.study is not None
    assert evidence.study.best == {}


def test_confirmations_tell_whether_the_lead_is_more_than_noise(
    opened: OpenStudy, tiny: Callable[..., Settings], add_trial: Callable[..., int]
) -> None:
    settings, numbers = tiny(), [add_trial(opened.study, score) for score in (30.0, 29.0)]
    assert "search.noise_floor" in diagnose(study_evidence(opened, settings, rank(opened.study))).not_measured
    for number in numbers:
        add_repeat(opened, number, 1, settings.training.steps, 27.0)
        add_repeat(opened, number, 2, settings.training.steps, 29.0)
    add_repeat(opened, numbers[0], 1, 2 * settings.training.steps, 90.0)
    repeats = list(finished_repeats(opened.prepared.store, opened.parent.id).values())
    evidence = study_evidence(opened, settings, rank(opened.study), repeats)
    assert evidence.study is not None
    assert evidence.study.seed_scores == {f"trial {number}": (27.0, 29.0) for number in numbers}
    (found,) = [each for each in diagnose(evidence).findings if each.code == "search.noise_floor"]
    assert "1.00 in score < 2.00" in found.evidence[0]  # sqrt(2) times the deviation of 27 and 29
