"""A study in Optuna: made or reopened, its sampler and pruner, its baselines, what is finished."""

import hashlib
import json
from collections.abc import Sequence

import optuna
from optuna import Study, Trial
from optuna.pruners import BasePruner, MedianPruner, NopPruner, SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from model.settings import identity
from search.settings import SearchSettings, Settings, recipe_of
from search.space import baseline_parameters

#: Finished trials that a median needs to mean something (Optuna's own number); the sampler's `startup_trials` may be fewer.
PRUNER_STARTUP_TRIALS = 5

#: User attributes of trials.
BASELINE, LEFT_OUT, RETRIES, RETRY_OF, RUN_ID, REASON, METRICS = (
    "baseline",
    "left_out",
    "retries",
    "retry_of",
    "mlflow_run_id",
    "reason",
    "metrics",
)
#: Of trials that ended with their command, through no fault of their settings.
INTERRUPTED = "interrupted"

#: User attributes of a study: the --trials of the last command, and what its data and its reference are known by.
TARGET, DIGEST = "target", "data_digest"

#: A failed trial is tried again this often before its parameters are given up.
MAX_RETRIES = 2

optuna.logging.set_verbosity(optuna.logging.WARNING)


def study_name(settings: Settings, perceptual: bool) -> str:
    """Name of the study: the chosen name and 8 hex digits of all that makes results comparable (recipe, space, LPIPS or none)."""
    search = settings.search
    searched = search.model_dump(mode="json", include={"space", "baselines", "seed", "pruner"})
    parts = [identity(recipe_of(settings)), searched, perceptual]
    return f"{search.study}-{hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:8]}"


def load_study(
    settings: Settings, storage: BaseStorage, perceptual: bool, digest: str, *, must_exist: bool = False
) -> Study:
    """Make or reopen the study.

    Raises:
        ValueError: the study was begun on other data, or must exist and does not.
    """
    name = study_name(settings, perceptual)
    if must_exist:
        require_known(name, storage)
    study = optuna.create_study(
        study_name=name, storage=storage, direction="maximize", load_if_exists=True, pruner=make_pruner(settings)
    )
    if DIGEST not in study.user_attrs:
        study.set_user_attr(DIGEST, digest)
    check_digest(study, digest)
    study.sampler = make_sampler(settings.search, len(study.get_trials(deepcopy=False)))
    return study


def find_study(settings: Settings, storage: BaseStorage, perceptual: bool, digest: str) -> Study:
    """The study as it stands, to be read.

    Raises:
        ValueError: there is none, or it was begun on other data.
    """
    name = study_name(settings, perceptual)
    require_known(name, storage)
    study = optuna.load_study(study_name=name, storage=storage)
    check_digest(study, digest)
    return study


class UnknownStudyError(ValueError):
    """The record has no study of these settings."""


def require_known(name: str, storage: BaseStorage) -> None:
    """Refuse the name of a study that the record does not have."""
    known = optuna.get_all_study_names(storage)
    if name not in known:
        raise UnknownStudyError(
            f"the record must have the study of these settings, {name}, but has {', '.join(known) or 'none'}; "
            "give the settings that it was begun with"
        )


def check_digest(study: Study, digest: str) -> None:
    """Refuse data or a reference that a study was not begun with; one without a digest has no trial yet."""
    begun_with = study.user_attrs.get(DIGEST, digest)
    if begun_with != digest:
        raise ValueError(
            f"a study must keep its data and its reference, but {study.study_name} began with digest {begun_with} "
            f"and now has {digest}; restore them or begin another study with --set search.study=NAME"
        )


def make_sampler(search: SearchSettings, num_trials: int) -> TPESampler:
    """TPE whose seed depends on the number of trials so far: the same seed after a restart would draw the same trials again."""
    seed = int(hashlib.sha256(f"{search.seed}:{num_trials}".encode()).hexdigest()[:8], 16)
    return TPESampler(seed=seed, n_startup_trials=search.startup_trials)


def make_pruner(settings: Settings) -> BasePruner:
    """The pruner of conf.toml; it sees the score at every evaluation."""
    every = min(settings.training.evaluate_every, settings.training.steps)
    if settings.search.pruner == "median":
        return MedianPruner(min(settings.search.startup_trials, PRUNER_STARTUP_TRIALS), n_warmup_steps=every)
    if settings.search.pruner == "asha":
        return SuccessiveHalvingPruner(min_resource=every, reduction_factor=2)
    return NopPruner()


def enqueue_baselines(study: Study, search: SearchSettings, perceptual: bool) -> None:
    """Queue each baseline that the study does not have yet."""
    known = {trial.user_attrs.get(BASELINE) for trial in study.get_trials(deepcopy=False)}
    for name, baseline in search.baselines.items():
        if name not in known:
            parameters, left_out = baseline_parameters(baseline, perceptual)
            study.enqueue_trial(parameters, user_attrs={BASELINE: name, LEFT_OUT: left_out})


def finished(study: Study) -> list[FrozenTrial]:
    """Trials that count towards --trials: complete ones and pruned ones."""
    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED))


def failures(trials: Sequence[FrozenTrial]) -> dict[int, str]:
    """Why trials failed or diverged, by number; those that were interrupted did neither."""
    return {
        trial.number: trial.user_attrs[REASON]
        for trial in trials
        if REASON in trial.user_attrs and INTERRUPTED not in trial.user_attrs
    }


def fail(study: Study, number: int, reason: str, *, own_fault: bool) -> bool:
    """Close a trial as FAIL with its reason and queue its parameters again.

    Returns False when it was tried often enough, or when whoever took the study over has closed it.

    Args:
        study: that the trial belongs to.
        number: of the trial.
        reason: for people.
        own_fault: whether this counts as one of its tries; an interruption does not.
    """
    trials = study.get_trials(deepcopy=False)
    trial = trials[number]
    if trial.state.is_finished():
        return False
    # A frozen trial's id has no public name, and Trial is the only public way to write an attribute.
    Trial(study, trial._trial_id).set_user_attr(REASON, reason)
    if not own_fault:
        Trial(study, trial._trial_id).set_user_attr(INTERRUPTED, True)
    retries = int(trial.user_attrs.get(RETRIES, 0)) + own_fault
    # A trial that was taken from the queue but stopped before it sampled has its parameters only there.
    parameters = trial.system_attrs.get("fixed_params", {}) | trial.params
    again = retries <= MAX_RETRIES and bool(parameters)
    # In this order, and not twice: a kill between the two leaves a RUNNING trial, which the next command fails again.
    if again and all(other.user_attrs.get(RETRY_OF) != number for other in trials):
        kept = {name: trial.user_attrs[name] for name in (BASELINE, LEFT_OUT) if name in trial.user_attrs}
        study.enqueue_trial(parameters, user_attrs=kept | {RETRIES: retries, RETRY_OF: number})
    study.tell(number, state=TrialState.FAIL)
    return again
