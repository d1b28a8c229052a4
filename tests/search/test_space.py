import optuna
import pytest

from search.settings import BaselineSettings, Settings, load_settings
from search.space import LOSSES, PLACES, baseline_parameters, changes, complete, distributions, sample
from tests.commands import ROOT


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
def test_the_baselines_lie_in_the_space_of_the_published_network(name: str) -> None:
    search = load_settings(ROOT / "conf.toml", "h100", ()).search
    space = distributions(search.space, perceptual=True)
    parameters, _ = baseline_parameters(search.baselines[name], perceptual=True)
    for key, value in parameters.items():
        assert space[key]._contains(space[key].to_internal_repr(value)), key


def test_a_baseline_outside_the_ranges_keeps_its_values_without_a_word(tiny) -> None:
    space = distributions(tiny("search.space.encoder=[0.5, 0.6]").search.space, perceptual=True)
    study = optuna.create_study(sampler=optuna.samplers.TPESampler(n_startup_trials=1, seed=0))
    parameters, left_out = baseline_parameters(baseline(encoder=0.001), perceptual=True)
    study.enqueue_trial(parameters)
    for value in range(5):  # and TPE goes on inside them with that trial in its history
        trial = study.ask()
        sampled = sample(trial, space, left_out)
        assert (sampled["encoder"] == 0.001) if value == 0 else (0.5 <= sampled["encoder"] <= 0.6)
        study.tell(trial, value)
