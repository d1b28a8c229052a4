from pathlib import Path

import pytest
from optuna.samplers import TPESampler
from optuna.trial import TrialState

from search.space import distributions, sample
from search.storage import open_storage
from search.study import (
    BASELINE,
    LEFT_OUT,
    MAX_RETRIES,
    REASON,
    RETRIES,
    enqueue_baselines,
    fail,
    failures,
    find_study,
    finished,
    load_study,
    make_sampler,
    study_name,
)


@pytest.fixture
def storage(tmp_path: Path):
    return open_storage(tmp_path, "", print)


def begin(settings, storage):
    """A study with its baselines queued, as a command begins it."""
    study = load_study(settings, storage, True, "digest")
    enqueue_baselines(study, settings.search, True)
    return study


def drawn(search, num_trials: int, count: int) -> list[dict]:
    import optuna

    study = optuna.create_study(sampler=make_sampler(search, num_trials))
    return [sample(study.ask(), distributions(search.space, perceptual=True), []) for _ in range(count)]


def test_the_sampler_is_tpe_and_its_seed_does_not_repeat_on_resume(tiny) -> None:
    search = tiny().search
    assert isinstance(make_sampler(search, 0), TPESampler)
    assert drawn(search, 0, 3) == drawn(search, 0, 3)
    first, later = drawn(search, 0, 3), drawn(search, 3, 3)
    assert not [parameters for parameters in later if parameters in first]
    assert drawn(tiny("search.seed=1").search, 0, 3) != first


def test_other_science_is_another_study_and_other_logging_is_not(tiny) -> None:
    name = study_name(tiny(), perceptual=True)
    assert name.startswith("taehv-")
    assert name == study_name(tiny("training.log_every=2", "data.workers=2"), perceptual=True)
    others = [
        study_name(tiny("training.steps=5"), perceptual=True),
        study_name(tiny("search.space.encoder=[0.1, 1.0]"), perceptual=True),
        study_name(tiny("search.study=mine"), perceptual=True),
        study_name(tiny(), perceptual=False),
    ]
    assert len({name, *others}) == 5


def test_the_baselines_come_first_and_once(tiny, storage) -> None:
    settings = tiny()
    for _ in range(2):
        study = begin(settings, storage)
    queued = [trial.user_attrs[BASELINE] for trial in study.trials]
    assert queued == ["seed_old", "seed_new", "seraena_author"]
    space = distributions(settings.search.space, perceptual=True)
    trial = study.ask()
    parameters = sample(trial, space, trial.user_attrs[LEFT_OUT])
    assert (parameters["reconstruction"], parameters["schedule"]) == (0.1, "cosine_with_restarts")


def test_a_study_refuses_other_data(tiny, storage) -> None:
    load_study(tiny(), storage, True, "first")
    with pytest.raises(ValueError, match="began with digest first and now has second"):
        load_study(tiny(), storage, True, "second")


def test_a_study_is_read_as_it_stands(tiny, storage) -> None:
    with pytest.raises(ValueError, match="but has none; give the settings that it was begun with"):
        find_study(tiny(), storage, True, "first")
    begun = load_study(tiny(), storage, True, "first")
    assert find_study(tiny(), storage, True, "first").study_name == begun.study_name
    with pytest.raises(ValueError, match="began with digest first and now has second"):
        find_study(tiny(), storage, True, "second")


def test_finished_counts_complete_and_pruned_only(tiny, storage) -> None:
    study = begin(tiny(), storage)
    study.tell(study.ask(), 1.0)
    study.tell(study.ask(), state=TrialState.PRUNED)
    study.tell(study.ask(), state=TrialState.FAIL)
    study.ask()
    assert [trial.state for trial in finished(study)] == [TrialState.COMPLETE, TrialState.PRUNED]


def test_a_failed_trial_keeps_its_reason_and_is_tried_again_a_stated_number_of_times(tiny, storage) -> None:
    settings = tiny()
    study = begin(settings, storage)
    space = distributions(settings.search.space, perceptual=True)
    asked = []
    for attempt in range(MAX_RETRIES + 1):
        trial = study.ask() if not asked else next_of_baseline(study, "seed_old")
        asked.append(sample(trial, space, trial.user_attrs.get(LEFT_OUT, [])))
        assert trial.user_attrs.get(RETRIES, 0) == attempt
        assert fail(study, trial.number, f"reason {attempt}", own_fault=True) == (attempt < MAX_RETRIES)
        assert study.trials[trial.number].state == TrialState.FAIL
        assert study.trials[trial.number].user_attrs[REASON] == f"reason {attempt}"
    assert asked[0] == asked[1] == asked[2]


def next_of_baseline(study, name: str):
    while True:
        trial = study.ask()
        if trial.user_attrs.get(BASELINE) == name:
            return trial
        study.tell(trial, 0.0)


def test_a_baseline_that_was_stopped_before_it_sampled_keeps_its_settings(tiny, storage) -> None:
    settings = tiny()
    study = begin(settings, storage)
    trial = study.ask()
    assert fail(study, trial.number, "killed", own_fault=False)
    again = next_of_baseline(study, "seed_old")
    parameters = sample(again, distributions(settings.search.space, perceptual=True), again.user_attrs[LEFT_OUT])
    assert parameters["perceptual"] == 0.05


@pytest.mark.parametrize(
    ("name", "kind"), [("none", "NopPruner"), ("median", "MedianPruner"), ("asha", "SuccessiveHalvingPruner")]
)
def test_the_pruner_is_the_one_asked_for(tiny, storage, name: str, kind: str) -> None:
    study = load_study(tiny(f"search.pruner={name}"), storage, True, "digest")
    assert type(study.pruner).__name__ == kind


def test_an_interruption_is_no_try(tiny, storage) -> None:
    study = begin(tiny(), storage)
    trial = study.ask()
    for _ in range(MAX_RETRIES + 2):
        assert fail(study, trial.number, "interrupted", own_fault=False)
        trial = next_of_baseline(study, "seed_old")
    assert failures(study.trials) == {}
    assert fail(study, trial.number, "its worker ended", own_fault=True)
    assert failures(study.trials) == {trial.number: "its worker ended"}
    assert trial.user_attrs[RETRIES] == 0
