"""From a study to a registered model by the commands a person gives, killed on the way."""

import json
import re
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun
from safetensors.torch import load_file

from model.bank import build_bank
from model.evaluation.perceptual import load_perceptual
from model.training.checkpoint import WEIGHTS
from model.training.loop import train
from search.settings import load_settings, recipe_of
from tests.commands import ROOT, SHARED, TINY, Command, arguments, environment, settings_options

pytestmark = pytest.mark.long

PERCEPTUAL = (SHARED / "weights").exists()
ENVIRONMENT = {"TORCH_HOME": str(SHARED / "weights")} if PERCEPTUAL else {}

#: Two seeds of one trial and of the baselines, 4 and 8 steps each; a full run of 40. What nobody could miss is the threshold.
SMALL = (
    "promotion.candidates=1",
    "promotion.seeds=2",
    "promotion.long_steps=8",
    "promotion.steps=40",
    "promotion.evaluate_every=10",
    "promotion.keep_every=20",
    "promotion.thresholds.psnr=1",
    "promotion.thresholds.ssim=0.001",
    "promotion.thresholds.lpips=5",
    "search.workers=2",
)


@dataclass(frozen=True)
class Promoted:
    """A study of four trials, and what each command said on the way to its registered model."""

    root: Path
    changes: list[str]
    too_early: Command
    refused: Command
    killed: str
    done: Command
    again: Command


def client_of(root: Path) -> MlflowClient:
    uri = f"sqlite:///{root / 'mlflow.db'}"
    return MlflowClient(uri, uri)


def runs(root: Path, role: str) -> list[MlflowRun]:
    client = client_of(root)
    experiment = client.get_experiment_by_name("taehv")
    return list(client.search_runs([experiment.experiment_id], f"tags.role = '{role}'", order_by=["start_time ASC"]))


def folder_of(found: MlflowRun) -> Path:
    return Path(found.info.artifact_uri.removeprefix("file://"))


def kill_after(beginning: str, module: str, *options: str) -> str:
    """Run a command until it prints a line that begins so, then kill it; returns what it printed."""
    process = subprocess.Popen(
        arguments(module, *options),
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1", **ENVIRONMENT),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    lines = []
    with process.stdout:
        for line in process.stdout:
            lines.append(line)
            if line.startswith(beginning):
                process.kill()
                break
    assert process.wait(timeout=60) == -signal.SIGKILL, "".join(lines)
    return "".join(lines)


@pytest.fixture(scope="module")
def promoted(tmp_path_factory: pytest.TempPathFactory, call, cache_dir: Path) -> Promoted:
    root = tmp_path_factory.mktemp("promoted") / "mlruns"
    changes = [*TINY, *SMALL, f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    options = settings_options(*changes)
    searched = call("search.run", "--trials", "4", *options, **ENVIRONMENT)
    assert searched.code == 0, searched.err

    # One trial more is asked for, and the search killed before it comes: the study is unfinished until it is asked for four.
    kill_after("study ", "search.run", "--trials", "5", *options)
    too_early = call("search.promote", *options, **ENVIRONMENT)
    assert call("search.run", "--trials", "4", *options, **ENVIRONMENT).code == 0

    refused = call("search.promote", *options, **ENVIRONMENT)
    killed = kill_after("[30/40]", "search.promote", "--force", *options)
    done = call("search.promote", "--force", *options, **ENVIRONMENT)
    again = call("search.promote", "--force", *options, **ENVIRONMENT)
    return Promoted(root, changes, too_early, refused, killed, done, again)


def test_an_unfinished_study_is_not_promoted(promoted: Promoted) -> None:
    assert promoted.too_early.code == 1
    assert "has 4 of 5 trials; go on with python -m search.run --trials 5" in promoted.too_early.err


def test_a_winner_within_the_noise_is_refused_with_its_numbers(promoted: Promoted) -> None:
    assert promoted.refused.code == 1, promoted.refused.out
    assert promoted.refused.err.startswith("error: the gate is closed: ")
    assert "is not better than mean colour" in promoted.refused.err
    assert promoted.refused.err.count("\n") == 1
    assert "full run" not in promoted.refused.out


def test_every_setting_is_confirmed_with_fresh_seeds_at_both_lengths(promoted: Promoted) -> None:
    confirmations = runs(promoted.root, "confirm")
    keys = {(run.data.tags["trial_number"], run.data.tags["seed"], run.data.tags["horizon"]) for run in confirmations}
    assert len(keys) == len(confirmations) == 16
    assert {run.info.status for run in confirmations} == {"FINISHED"}
    assert {run.data.params["training.seed"] for run in confirmations} == {"1", "2"}
    assert {run.data.params["training.steps"] for run in confirmations} == {"4", "8"}
    (study,) = runs(promoted.root, "study")
    assert {run.data.tags["mlflow.parentRunId"] for run in confirmations} == {study.info.run_id}
    assert study.info.status == "FINISHED"


def test_what_is_confirmed_is_not_trained_again(promoted: Promoted) -> None:
    assert "confirmations: 16, of them 0 in the record" in promoted.refused.out
    assert "confirmations: 16, of them 16 in the record; 0 steps to train" in promoted.killed


def test_the_decision_is_recorded_with_the_force(promoted: Promoted) -> None:
    (study,) = runs(promoted.root, "study")
    gate = json.loads((folder_of(study) / "promotion.json").read_text())
    assert gate["forced"] is True
    assert len(gate["reasons"]) >= 1
    assert set(gate["estimates"]) == {"score", "val/psnr", "val/ssim"} | ({"val/lpips"} if PERCEPTUAL else set())
    (full,) = runs(promoted.root, "full")
    assert full.data.tags["forced"] == "gate"


def test_the_studys_report_tells_the_decision_and_the_noise(promoted: Promoted) -> None:
    (study,) = runs(promoted.root, "study")
    report = (folder_of(study) / "report.html").read_text()
    assert "Promotion: trial " in report
    assert "forced in spite of: " in report
    assert "4 against 8 steps over 4 settings: Spearman " in report
    assert "(one deviation, 8 trainings)" in report


def test_a_full_run_goes_on_after_a_kill(promoted: Promoted) -> None:
    assert promoted.done.code == 0, promoted.done.err
    assert "was left open: python -m search.promote goes on with it" in promoted.done.out
    assert re.search(r"goes on from its last checkpoint; \d+ of 40 steps", promoted.done.out)
    assert "[10/40]" not in promoted.done.out
    (full,) = runs(promoted.root, "full")
    assert (full.info.status, full.data.tags["state"]) == ("FINISHED", "complete")
    history = client_of(promoted.root).get_metric_history(full.info.run_id, "val/psnr")
    # Steps 3 and 8 are the marks of confirmations of 8 steps, at 40 % and at their end.
    assert sorted({point.step for point in history}) == [3, 8, 10, 20, 30, 40]
    losses = client_of(promoted.root).get_metric_history(full.info.run_id, "loss/total")
    assert sorted({point.step for point in losses}) == list(range(1, 41))
    assert list((promoted.root / "running").iterdir()) == []


def test_interrupted_and_uninterrupted_end_equal_bit_for_bit(
    promoted: Promoted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    (full,) = runs(promoted.root, "full")
    settings = load_settings(folder_of(full) / "conf.toml", "cpu", ())
    recipe, device = recipe_of(settings), torch.device("cpu")
    perceptual = load_perceptual(recipe.evaluation.lpips, device) if PERCEPTUAL else None
    before = torch.get_num_threads()
    torch.set_num_threads(1)  # as the commands: their OMP_NUM_THREADS is 1
    for _ in train(recipe, build_bank(recipe, device, print), perceptual=perceptual, device=device, folder=tmp_path):
        pass
    torch.set_num_threads(before)
    ours, theirs = load_file(tmp_path / WEIGHTS), load_file(folder_of(full) / WEIGHTS)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_last_best_and_milestones_are_kept(promoted: Promoted) -> None:
    (full,) = runs(promoted.root, "full")
    kept = {path.name for path in (folder_of(full) / "checkpoint").iterdir()}
    assert kept == {
        "model.safetensors",
        "training.pt",
        "clips.mp4",
        "best.safetensors",
        "step-000020.safetensors",
        "step-000040.safetensors",
    }


def test_the_registered_model_is_the_best_of_the_run_bit_for_bit(promoted: Promoted, tmp_path: Path, call) -> None:
    client = client_of(promoted.root)
    (full,) = runs(promoted.root, "full")
    alias = "champion" if PERCEPTUAL else "challenger"
    version = client.get_model_version_by_alias("taehv", alias)
    assert version.run_id == full.info.run_id
    uri = f"sqlite:///{promoted.root / 'mlflow.db'}"
    fetch = "import sys, mlflow; print(mlflow.artifacts.download_artifacts(sys.argv[1], dst_path=sys.argv[2]))"
    fetched = subprocess.run(
        [sys.executable, "-c", fetch, f"models:/taehv@{alias}", str(tmp_path)],
        env=environment(MLFLOW_TRACKING_URI=uri, MLFLOW_REGISTRY_URI=uri),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(fetched.stdout.split()[-1])
    ours, theirs = load_file(folder / "model.safetensors"), load_file(folder_of(full) / "checkpoint/best.safetensors")
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
    assert "encoder.0.weight" in ours
    assert "decoder.22.bias" in ours

    history = client.get_metric_history(full.info.run_id, "score")
    best = max(point.value for point in history if point.step % 10 == 0)  # a mark is evaluated and not saved
    evaluation = json.loads((folder / "evaluation.json").read_text())
    assert evaluation["score"] == best
    assert float(version.tags["score"]) == best
    scored = call(
        "model.evaluate",
        str(folder / "model.safetensors"),
        "--config",
        str(folder / "conf.toml"),
        "--out",
        str(tmp_path / "scored"),
        **ENVIRONMENT,
    )
    assert scored.code == 0, scored.err
    assert json.loads((tmp_path / "scored" / "evaluation.json").read_text())["score"] == pytest.approx(best, abs=1e-5)


def test_the_card_says_what_it_is_and_how_to_make_it_again(promoted: Promoted) -> None:
    (full,) = runs(promoted.root, "full")
    card = (folder_of(full) / "model" / "README.md").read_text()
    for part in (full.info.run_id, full.data.tags["data_digest"], full.data.tags["git_commit"], "forced in spite of"):
        assert part in card, part
    assert "python -m search.train --config conf.toml" in card
    assert str(promoted.root) not in card


def test_without_thresholds_passed_nobody_is_champion(promoted: Promoted) -> None:
    if PERCEPTUAL:
        assert "champion   version 1 is champion" in promoted.done.out
    else:
        assert "champion   not moved: LPIPS must be below 5, but was not measured" in promoted.done.out


def test_given_again_it_only_says_the_result(promoted: Promoted) -> None:
    assert promoted.again.code == 0, promoted.again.err
    assert "is in the record" in promoted.again.out
    assert len(runs(promoted.root, "full")) == 1
    assert len(client_of(promoted.root).search_model_versions("name='taehv'")) == 1
    assert promoted.again.out.splitlines()[-1] == promoted.done.out.splitlines()[-1]


def test_the_estimate_is_shown_before_and_compared_after(promoted: Promoted) -> None:
    out = promoted.killed
    assert 0 < out.index("estimate ") < out.index("full run ")
    assert re.search(r"val/psnr (within|below|above) the estimate of", promoted.done.out)


def test_a_gpu_study_without_a_gpu_is_refused_with_the_remedy(promoted: Promoted, call) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    options = [part for change in promoted.changes for part in ("--set", change)]
    refused = call("search.promote", "--profile", "h100", *options, **ENVIRONMENT)
    assert refused.code == 2
    assert "bfloat16" in refused.err
    assert "CUDA" in refused.err


def test_steps_must_grow(promoted: Promoted, call) -> None:
    wrong = call("search.promote", *settings_options(*promoted.changes, "promotion.long_steps=4"), **ENVIRONMENT)
    assert wrong.code == 2
    assert "training.steps, promotion.long_steps and promotion.steps are 4, 4 and 40; make them grow" in wrong.err
