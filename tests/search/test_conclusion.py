import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from optuna.trial import TrialState
from rich.console import Console

from model.settings import change
from search.conclusion import close_study, conclude, place_options
from search.lease import take_lease
from search.opening import OpenStudy, open_everything
from search.settings import Settings, load_settings
from search.study import TARGET
from tests.places import Place, at
from tests.search.recorded_trials import add_recorded, add_repeat
from tests.servers import PostgreSQL
from tracking.store import artifact_folder, own_folder

Conclude = Callable[..., str]


@pytest.fixture
def concluded(opened: OpenStudy, tiny: Callable[..., Settings]) -> Conclude:
    """Conclude the study at a target; returns what was printed."""

    def make(target: int, interrupted: bool = True) -> str:
        out = io.StringIO()
        opened.study.set_user_attr(TARGET, target)
        conclude(opened, tiny(), Console(file=out, width=200, highlight=False), interrupted=interrupted)
        return out.getvalue()

    return make


def run_of(opened: OpenStudy) -> MlflowRun:
    return MlflowClient(tracking_uri=opened.prepared.store.uri).get_run(opened.parent.id)


def folder_of(opened: OpenStudy) -> Path:
    return artifact_folder(opened.prepared.store, opened.parent.id)


def test_without_a_finished_trial_there_is_a_page_and_no_next_step(opened: OpenStudy, concluded: Conclude) -> None:
    out = concluded(2)
    run = run_of(opened)
    assert (run.info.status, run.data.tags["state"]) == ("KILLED", "interrupted")
    assert "no trial has a score yet" in (folder_of(opened) / "report.html").read_text()
    assert (folder_of(opened) / "ranking.csv").read_text().count("\n") == 1
    assert not (folder_of(opened) / "best.toml").exists()
    assert [line.split()[0] for line in out.splitlines()] == ["report", "why", "compare", "note", "next"]
    assert "next     python -m search.run --trials 2 --config " in out


def test_trials_that_all_diverged_have_no_best(
    opened: OpenStudy, concluded: Conclude, add_trial: Callable[..., int]
) -> None:
    for _ in range(2):
        add_trial(opened.study, None, TrialState.PRUNED)
    out = concluded(2)
    assert run_of(opened).info.status == "FINISHED"  # the study has the trials that it was asked for
    assert "no trial has a score yet" in out
    assert "--set 'search.space.learning_rate=[3e-06, 0.0003]'" in out.splitlines()[-1]
    assert not (folder_of(opened) / "best.toml").exists()
    rows = csv.DictReader((folder_of(opened) / "ranking.csv").read_text().splitlines())
    assert [row["state"] for row in rows] == ["PRUNED"] * 2


def test_trials_that_were_all_pruned_have_no_best(
    opened: OpenStudy, concluded: Conclude, add_trial: Callable[..., int]
) -> None:
    for score in (50.0, 60.0):
        add_trial(opened.study, score, TrialState.PRUNED)
    out = concluded(2)
    assert "no complete trial has a score yet" in out
    assert "next     python -m search.run --trials 52 " in out
    assert not (folder_of(opened) / "best.toml").exists()
    assert "score" not in run_of(opened).data.metrics


def test_what_was_learned_after_the_trials_is_written_and_the_study_left(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    for score in (30.0, 31.0, 32.0, 33.0):
        add_repeat(opened, add_recorded(opened, tiny(), score), 0, 8, 2 * score)
    opened.study.set_user_attr(TARGET, 4)
    close_study(opened, tiny())
    assert "4 against 8 steps over 4 settings: Spearman 1.00" in (folder_of(opened) / "report.html").read_text()
    run = run_of(opened)
    assert (run.info.status, run.data.tags["state"]) == ("FINISHED", "complete")
    take_lease(opened.study._storage._backend, opened.study.study_name, print).close()


def test_the_best_trials_settings_are_the_next_command(
    opened: OpenStudy, concluded: Conclude, add_trial: Callable[..., int], tiny: Callable[..., Settings]
) -> None:
    add_trial(opened.study, 50.0, baseline="seed_old")
    add_trial(opened.study, 60.0, encoder=0.75, learning_rate=2e-4, schedule="linear")
    add_trial(opened.study, None, TrialState.PRUNED)
    out = concluded(3)
    run = run_of(opened)
    assert (run.info.status, run.data.tags["state"]) == ("FINISHED", "complete")
    assert run.data.metrics["score"] == 60.0
    assert "best: trial" in out
    assert "+5.00 dB against the user's old settings" in out

    words = next(line for line in out.splitlines() if line.startswith("next ")).split()
    assert words[1:4] == ["python", "-m", "search.promote"]
    assert load_settings(Path(words[words.index("--config") + 1]), "cpu", words[6:]) == tiny()
    best = load_settings(folder_of(opened) / "best.toml", "cpu", ())
    assert (best.losses.encoder, best.optimizer.learning_rate, best.schedule.kind) == (0.75, 2e-4, "linear")
    assert best.data == tiny().data
    report = next(line for line in out.splitlines() if line.startswith("report")).removeprefix("report").strip()
    assert Path(report).read_text().startswith("<!doctype html>")


def test_a_best_trial_without_a_picture_is_not_promoted(
    opened: OpenStudy, concluded: Conclude, add_trial: Callable[..., int], tiny: Callable[..., Settings]
) -> None:
    add_trial(opened.study, 2.0)  # 1 dB
    out = concluded(1)
    assert "note     no trial is better than a frame of one colour" in out
    assert out.rstrip().endswith(f"training.steps={10 * tiny().training.steps}")


def test_fewer_trials_than_asked_for_are_ranked_and_called_interrupted(
    opened: OpenStudy, concluded: Conclude, add_trial: Callable[..., int]
) -> None:
    add_trial(opened.study, 20.0)
    out = concluded(50)
    run = run_of(opened)
    assert (run.info.status, run.data.tags["state"]) == ("KILLED", "interrupted")
    assert "best: trial" in out
    assert (folder_of(opened) / "best.toml").exists()


def test_a_study_that_broke_off_is_called_failed(
    opened: OpenStudy, concluded: Conclude, add_trial: Callable[..., int]
) -> None:
    add_trial(opened.study, 20.0)
    assert "best: trial" in concluded(50, interrupted=False)
    run = run_of(opened)
    assert (run.info.status, run.data.tags["state"]) == ("FAILED", "failed")


@pytest.mark.parametrize(
    ("uri", "options"),
    [
        ("", "--set 'tracking.root=/my runs'"),
        ("http://host:5000", "--set tracking.uri=http://host:5000"),
        ("postgresql://me:secret@h/d", "--set 'tracking.root=/my runs' --set tracking.uri=postgresql://me@h/d"),
    ],
)
def test_the_command_that_shows_the_record_names_it(tiny: Callable[..., Settings], uri: str, options: str) -> None:
    assert place_options(tiny("tracking.root=/my runs", f"tracking.uri={uri}")) == options


@at("postgresql")
def test_a_record_that_goes_away_just_before_the_page_costs_the_page_alone(
    record: Path, tiny: Callable[..., Settings], place: Place, postgresql: PostgreSQL
) -> None:
    settings, out = change(tiny(), {"search.storage": ""}), io.StringIO()
    opened = open_everything(settings, lambda _line: None, 1)
    add_recorded(opened, settings, 30.0)
    postgresql.stop()
    try:
        conclude(opened, settings, Console(file=out, width=200), interrupted=False)
    finally:
        postgresql.start()
        opened.lease.close()
    assert "report   not written: " in out.getvalue()
    assert "the same command writes it when the record answers again" in out.getvalue()
    folder = own_folder(opened.prepared.store, opened.parent.id)
    assert {"ranking.csv", "best.toml"} <= {path.name for path in folder.iterdir()}
    opened.prepared.store.outbox.deliver()
    assert run_of(opened).info.status == "FINISHED"


def test_a_study_that_was_taken_over_is_left_to_its_new_holder(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    opened.lease.taken_by = "anna@node7, process 9"
    close_study(opened, tiny())
    assert run_of(opened).info.status == "RUNNING"
    assert not (folder_of(opened) / "report.html").exists()
