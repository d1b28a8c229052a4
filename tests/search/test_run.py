import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState
from rich.console import Console

from model.cli import run
from search.lock import study_lock
from search.opening import OpenStudy
from search.ranking import rank
from search.run import main, search
from search.settings import Settings, load_settings
from search.study import fail, study_name
from tests.commands import ROOT, settings_options
from tests.search.recorded_trials import add_recorded

Command = Callable[..., int]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Command:
    """Give `python -m search.run` in this process; returns its exit code."""

    def give(trials: int, changes: list[str], *options: str) -> int:
        monkeypatch.setattr(sys, "argv", ["search.run", "--trials", str(trials), *settings_options(*changes), *options])
        with pytest.raises(SystemExit) as left:
            run(main)
        return int(left.value.code or 0)

    return give


def study_in(root: Path) -> optuna.Study:
    storage = f"sqlite:///{root / 'optuna.db'}"
    (name,) = optuna.get_all_study_names(storage)
    return optuna.load_study(study_name=name, storage=storage)


def statuses(root: Path) -> dict[str, list[str]]:
    """MLflow's statuses by role."""
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("taehv")
    found: dict[str, list[str]] = {}
    for row in client.search_runs([experiment.experiment_id]):
        found.setdefault(row.data.tags["role"], []).append(row.info.status)
    return found


def test_a_study_ends_with_as_many_trials_as_asked_for(finished_study) -> None:
    study = study_in(finished_study.root)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 3
    assert statuses(finished_study.root) == {"study": ["FINISHED"], "trial": ["FINISHED"] * 3}
    assert [trial.user_attrs["baseline"] for trial in study.trials] == ["seed_old", "seed_new", "seraena_author"]


def test_it_is_checked_before_its_first_trial(finished_study) -> None:
    out = finished_study.out
    assert 0 < out.index("preflight: ") < out.index("[1/3]")
    client = MlflowClient(f"sqlite:///{finished_study.root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("taehv")
    (study,) = client.search_runs([experiment.experiment_id], "tags.role = 'study'")
    folder = Path(study.info.artifact_uri.removeprefix("file://"))
    assert json.loads((folder / "preflight.json").read_text())["training_input"]["range"]["maximum"] > 0.5
    assert "forced" not in study.data.tags


def test_it_counts_trials_as_they_end_and_closes_with_the_best_one(finished_study) -> None:
    lines = finished_study.out.splitlines()
    assert any(re.fullmatch(r"study taehv-[0-9a-f]{8}: 0 of 3 trials finished", line) for line in lines)
    assert [line[:5] for line in lines if line.startswith("[")] == ["[1/3]", "[2/3]", "[3/3]"]
    best = rank(study_in(finished_study.root))[0]
    assert any(line.startswith(f"best: trial {best.number} with {best.metrics['val/psnr']:.2f} dB") for line in lines)
    following = next(line for line in lines if line.startswith("next ")).split()
    settings = load_settings(Path(following[following.index("--config") + 1]), "cpu", ())
    assert settings.optimizer.learning_rate == best.parameters["learning_rate"]


@pytest.mark.parametrize("trials", [3, 1])
def test_a_study_that_has_its_trials_prints_them_and_trains_nothing(
    finished_study, command: Command, capsys: pytest.CaptureFixture[str], trials: int
) -> None:
    before = study_in(finished_study.root).trials
    assert command(trials, finished_study.changes) == 0
    out = capsys.readouterr().out
    assert f"3 of {trials} trials finished" in out
    assert "preflight" not in out
    assert out[out.index(" #  trial") :] == finished_study.out[finished_study.out.index(" #  trial") :]
    assert study_in(finished_study.root).trials == before
    assert statuses(finished_study.root) == {"study": ["FINISHED"], "trial": ["FINISHED"] * 3}


def test_quiet_prints_the_end_alone(finished_study, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(3, finished_study.changes, "--quiet") == 0
    out, whole = capsys.readouterr().out, finished_study.out
    assert out.strip() == whole[whole.index(" #  trial") :].strip()


def test_slots_per_gpu_are_a_setting_and_no_other_study(
    finished_study, command: Command, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert command(3, [*finished_study.changes, "search.slots_per_gpu=1"]) == 0
    assert "3 of 3 trials finished" in capsys.readouterr().out
    settings = load_settings(ROOT / "conf.toml", "cpu", [*finished_study.changes, "search.slots_per_gpu=2"])
    assert study_name(settings, perceptual=False) == study_name(finished_study.settings, perceptual=False)

    arguments = ["search.run", "--slots-per-gpu", "2", *settings_options(*finished_study.changes)]
    monkeypatch.setattr(sys, "argv", arguments)
    with pytest.raises(SystemExit) as left:
        run(main)
    assert left.value.code == 2
    assert re.fullmatch(
        r"error: search.slots_per_gpu above 1 needs a CUDA device, but it is 2 .*--set search.workers=2\n",
        capsys.readouterr().err,
    )


def test_a_record_that_another_command_holds_is_left_alone(
    finished_study, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with study_lock(finished_study.root):
        assert command(4, finished_study.changes) == 1
    assert re.fullmatch(
        r"error: a record has one coordinator at a time, but .* held by \S+, process \d+, for \d+ s; .*\n",
        capsys.readouterr().err,
    )
    assert len(study_in(finished_study.root).trials) == 3


def test_the_table_of_a_study_that_goes_on_counts_earlier_faults_and_no_interruption(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    settings = tiny("search.workers=1")
    add_recorded(opened, settings, None, TrialState.PRUNED, reason="loss/total was nan at step 2")
    assert fail(opened.study, opened.study.ask().number, "interrupted by SIGINT", own_fault=False)
    opened.lease.close()
    out = io.StringIO()
    search(settings, 2, Console(file=out, force_terminal=True, width=200, highlight=False))
    assert "no score yet · 1 failed or diverged" in out.getvalue()


def test_an_address_of_a_cluster_needs_the_executor_that_uses_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["search.run", "--ray-address", "node7:6379"])
    with pytest.raises(SystemExit) as left:
        run(main)
    assert left.value.code == 2
    assert capsys.readouterr().err == (
        "error: --ray-address needs --executor ray, but the executor is local; add it or leave the address out\n"
    )
