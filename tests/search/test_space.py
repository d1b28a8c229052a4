import optuna
import pytest

from search.settings import BaselineSettings, Settings
from search.space import LOSSES, PLACES, baseline_parameters, changes, complete, distributions, sample


def baseline(**values: float) -> BaselineSettings:
    weights = dict.fromkeys(LOSSES, 1.0) | values
    return BaselineSettings(**weights, learning_rate=1e-4, schedule="cosine")


def test_the_space_holds_what_conf_toml_says(tiny) -> None:
    settings: Settings = tiny("search.space.encoder=[0.5, 4.0]")
    space = distributions(settings.search.space, perceptual=True)
    assert set(space) == set(PLACES)
    assert (space["encoder"].low, space["encoder"].high, space["encoder"].log) == (0.5, 4.0, True)
    assert "cosine" in space["schedule"].choices


def test_without_lpips_the_perceptual_weight_is_left_out_and_zero(tiny) -> None:
    space = distributions(tiny().search.space, perceptual=False)
    assert "perceptual" not in space
    trial = optuna.create_study().ask()
    parameters = sample(trial, space, [])
    assert parameters["perceptual"] == 0.0
    assert "perceptual" not in trial.params


def test_sampled_values_stay_in_their_ranges(tiny) -> None:
    space = distributions(tiny().search.space, perceptual=True)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(50):
        parameters = sample(study.ask(), space, [])
        assert all(space[name].low <= parameters[name] <= space[name].high for name in (*LOSSES, "learning_rate"))


def test_a_weight_of_zero_is_left_out_because_a_logarithm_cannot_hold_it(tiny) -> None:
    parameters, left_out = baseline_parameters(baseline(perceptual=0.0), perceptual=True)
    assert left_out == ["perceptual"]
    assert "perceptual" not in parameters
    study = optuna.create_study()
    study.enqueue_trial(parameters)
    sampled = sample(study.ask(), distributions(tiny().search.space, perceptual=True), left_out)
    assert sampled == complete(parameters)
    assert sampled["perceptual"] == 0.0


def test_changes_name_settings_that_exist(tiny) -> None:
    from model.settings import change

    parameters, left_out = baseline_parameters(baseline(reconstruction=0.25), perceptual=True)
    assert left_out == []
    changed = change(tiny(), changes(parameters))
    assert (changed.losses.reconstruction, changed.optimizer.learning_rate, changed.schedule.kind) == (
        0.25,
        1e-4,
        "cosine",
    )


@pytest.mark.parametrize("name", ["seed_old", "seed_new", "seraena_author"])
def test_the_baselines_of_conf_toml_lie_in_the_space(tiny, name: str) -> None:
    search = tiny().search
    space = distributions(search.space, perceptual=True)
    parameters, _ = baseline_parameters(search.baselines[name], perceptual=True)
    for key, value in parameters.items():
        assert space[key]._contains(space[key].to_internal_repr(value)), key
