from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from search.opening import OpenStudy, look_at_study, open_everything
from search.settings import Settings
from search.space import sample
from search.study import BASELINE, LEFT_OUT, RUN_ID
from tests.places import DATABASES, at
from tracking.query import find_runs
from tracking.run import start_run

pytestmark = at(*DATABASES)


def silent(_line: str) -> None:
    pass


def test_a_new_study_stands_in_both_records(opened: OpenStudy) -> None:
    assert opened.num_finished() == 0
    assert [trial.user_attrs[BASELINE] for trial in opened.study.trials] == ["seed_old", "seed_new", "seraena_author"]
    (parent,) = find_runs(opened.prepared.store, role="study")
    assert parent.id == opened.parent.id
    assert (parent.tags["study"], parent.status) == (opened.study.study_name, "RUNNING")
    bank = opened.prepared.bank
    assert opened.study.user_attrs["data_digest"] == f"{bank.digest}-{bank.facts['reference']['identity']}"


def test_without_lpips_the_space_and_the_baselines_have_no_perceptual_weight(opened: OpenStudy) -> None:
    assert opened.prepared.perceptual is None
    assert "perceptual" not in opened.space
    assert all("perceptual" in trial.user_attrs[LEFT_OUT] for trial in opened.study.trials)


def test_opening_again_finds_the_same_study(
    opened: OpenStudy,
    tiny: Callable[..., Settings],
    add_trial: Callable[..., int],
    run_with_checkpoint: Callable[..., str],
) -> None:
    add_trial(opened.study, 1.0, run_id=run_with_checkpoint(opened))
    again = open_everything(tiny("search.startup_trials=3", "tracking.keep_checkpoints=1"), silent, 50)
    assert again.study.study_name == opened.study.study_name
    assert again.parent.id == opened.parent.id
    assert again.num_finished() == 1
    assert len(again.study.trials) == 4


def test_other_settings_open_another_study_in_the_same_record(opened: OpenStudy, tiny: Callable[..., Settings]) -> None:
    other = open_everything(tiny("training.steps=5"), silent, 50)
    assert other.study.study_name != opened.study.study_name
    assert {row.tags["study"] for row in find_runs(opened.prepared.store, role="study")} == {
        opened.study.study_name,
        other.study.study_name,
    }


def test_what_a_killed_command_left_open_is_closed_and_said(opened: OpenStudy, tiny: Callable[..., Settings]) -> None:
    trial = opened.study.ask()
    sample(trial, opened.space, trial.user_attrs[LEFT_OUT])
    run = start_run(opened.prepared.store, "trial 000", "trial", opened.parent, {})
    trial.set_user_attr(RUN_ID, run.id)
    lines: list[str] = []
    again = open_everything(tiny(), lines.append, 50)
    assert "trial 0 was left running: queued again" in lines
    assert again.study.trials[0].state == TrialState.FAIL
    assert MlflowClient(tracking_uri=opened.prepared.store.uri).get_run(run.id).info.status == "FAILED"


def test_other_data_are_refused_before_any_run_is_opened(opened: OpenStudy, tiny: Callable[..., Settings]) -> None:
    opened.study.set_user_attr("data_digest", "another")
    opened.parent.finish("FINISHED")
    with pytest.raises(ValueError, match="began with digest another and now has"):
        open_everything(tiny(), silent, 50)
    (parent,) = find_runs(opened.prepared.store, role="study")
    assert parent.status == "FINISHED"


def test_a_record_that_is_no_place_is_one_clear_line_before_anything_is_spent(
    tiny: Callable[..., Settings], tmp_path: Path
) -> None:
    lines: list[str] = []
    cache = tmp_path / "untouched"
    with pytest.raises(RuntimeError, match="record must be") as error:
        open_everything(tiny("tracking.root=/proc/record", f"data.cache_dir={cache}"), lines.append, 50)
    assert "\n" not in str(error.value)
    assert lines == []
    assert not cache.exists()


def test_finished_trials_are_counted_at_each_asking(opened: OpenStudy) -> None:
    copy = replace(opened)
    opened.study.tell(opened.study.ask(), 1.0)
    opened.study.tell(opened.study.ask(), state=TrialState.FAIL)
    assert copy.num_finished() == 1


def test_without_a_target_only_a_study_that_is_there_is_opened(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    assert open_everything(tiny(), silent).study.study_name == opened.study.study_name
    with pytest.raises(
        ValueError, match=f"must have the study of these settings, .*, but has {opened.study.study_name}"
    ):
        open_everything(tiny("search.study=misspelt"), silent)
    assert len(find_runs(opened.prepared.store, role="study")) == 1


def test_a_study_that_is_held_can_be_looked_at(
    opened: OpenStudy, tiny: Callable[..., Settings], add_trial: Callable[..., int]
) -> None:
    add_trial(opened.study, 1.0)
    seen = look_at_study(tiny(), silent)
    assert (seen.study.study_name, seen.parent.id) == (opened.study.study_name, opened.parent.id)
    assert seen.num_finished() == 1
    with pytest.raises(ValueError, match="give the settings that it was begun with"):
        look_at_study(tiny("training.steps=5"), silent)
    assert len(find_runs(opened.prepared.store, role="study")) == 1
