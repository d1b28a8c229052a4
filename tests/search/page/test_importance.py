from collections.abc import Callable

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from search.page.importance import FEWEST_TRIALS, bars, comparable, importances, in_ranges

AddTrial = Callable[..., int]


@pytest.fixture
def study() -> optuna.Study:
    return optuna.create_study(direction="maximize")


def fill(study: optuna.Study, add_trial: AddTrial, count: int) -> None:
    for number in range(count):
        add_trial(study, 10.0 + number, encoder=0.01 * (number + 1), schedule=("cosine", "linear")[number % 2])


def test_the_parameter_that_makes_the_score_matters_most(study: optuna.Study, add_trial: AddTrial) -> None:
    fill(study, add_trial, 20)
    add_trial(study, 50.0, TrialState.PRUNED)
    among = comparable(study)
    assert among is not None
    assert len(among.trials) == 20
    found = importances(among)
    assert list(found) == ["fANOVA", "PED-ANOVA"]
    for shares in found.values():
        assert next(iter(shares)) == "encoder"
        assert sum(shares.values()) == pytest.approx(1)
    assert [bar.name for bar in bars(found).data] == ["fANOVA", "PED-ANOVA"]
    # The most important one stands above, its name beside its bars.
    assert list(bars(found).data[1].y) == [name.replace("_", " ") for name in found["fANOVA"]]
    assert bars(found).layout.yaxis.autorange == "reversed"


def test_too_few_trials_or_equal_scores_compare_nothing(study: optuna.Study, add_trial: AddTrial) -> None:
    fill(study, add_trial, FEWEST_TRIALS - 1)
    assert comparable(study) is None
    flat = optuna.create_study(direction="maximize")
    for _ in range(20):
        add_trial(flat, 30.0)
    assert comparable(flat) is None


def test_a_weight_that_one_baseline_lacks_is_not_hidden(study: optuna.Study, add_trial: AddTrial) -> None:
    fill(study, add_trial, 20)
    without = study.trials[0]
    kinds = {name: kind for name, kind in without.distributions.items() if name != "encoder"}
    params = {name: without.params[name] for name in kinds}
    study.add_trial(create_trial(state=TrialState.COMPLETE, value=5.0, params=params, distributions=kinds))
    among = comparable(study)
    assert among is not None
    assert len(among.trials) == 20
    assert next(iter(importances(among)["fANOVA"])) == "encoder"


def test_a_baseline_outside_the_ranges_is_left_out(study: optuna.Study, add_trial: AddTrial) -> None:
    add_trial(study, 1.0)
    inside = study.trials[0]
    assert in_ranges(inside)
    inside.params["encoder"] = 100.0
    assert not in_ranges(inside)
