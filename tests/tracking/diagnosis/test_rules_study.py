"""Faults of a study: its space, its noise."""

import pytest

from tracking.diagnosis import rules_study
from tracking.diagnosis.evidence import Evidence
from tracking.diagnosis.stored import StudyFacts


def study(best: float = 1.0, num_trials: int = 50, **more: object) -> Evidence:
    space = {"decoder": (0.01, 100.0)}
    return Evidence(study=StudyFacts({"decoder": best}, space, num_trials, **more))


@pytest.mark.parametrize(("best", "found"), [(1.0, 0), (0.0101, 1), (0.03, 0), (99.0, 1), (40.0, 0), (0.0, 0)])
def test_the_best_may_lie_at_the_edge(best: float, found: int) -> None:
    findings = rules_study.edge_of_space(study(best))
    assert findings is not None
    assert [(one.code, one.subject) for one in findings] == [("search.edge_of_space", "search.space.decoder")] * found


def test_few_trials_say_nothing_about_the_edge() -> None:
    assert rules_study.edge_of_space(study(0.01, num_trials=19)) is None
    assert rules_study.edge_of_space(Evidence()) is None


def test_a_lead_smaller_than_the_noise_is_luck() -> None:
    """Scores of 30 and 32 deviate by sqrt(2), so two trials differ by 2 for no reason."""
    noise = {"seed_new": (30.0, 32.0)}
    lucky = rules_study.noise_floor(study(top_scores=(33.9, 32.0), seed_scores=noise))
    sure = rules_study.noise_floor(study(top_scores=(34.1, 32.0), seed_scores=noise))
    assert lucky is not None
    assert [one.code for one in lucky] == ["search.noise_floor"]
    assert "1.90 in score < 2.00" in lucky[0].evidence[0]
    assert sure == []


def test_without_repeats_the_noise_is_not_measured() -> None:
    assert rules_study.noise_floor(study(top_scores=(34.0, 32.0))) is None
    assert rules_study.noise_floor(study(top_scores=(34.0, 32.0), seed_scores={"a": (30.0,)})) is None
    assert rules_study.noise_floor(study(top_scores=(34.0,), seed_scores={"a": (30.0, 31.0)})) is None
