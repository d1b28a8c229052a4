"""The first thing a person does: one command, clips in, ranked trials out, and a record that holds it all."""

import csv
import json
import re
import signal
import subprocess
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState

from model.settings import flatten
from search.settings import load_settings, recipe_of
from search.space import LOSSES
from tests.commands import ROOT, SHARED, TINY, DoneStudy, arguments, environment, settings_options

SCORES = {"score", "val/psnr", "val/ssim", "val/flicker"}
MEASURED = {"loss/total", "gradient/norm", "gradient/clipped", "learning_rate", "train/psnr", "time/step_ms"}
MEASURED |= {"critic/loss", "critic/correction_rms"}


def runs(root: Path, role: str) -> list:
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("taehv")
    return client.search_runs([experiment.experiment_id], f"tags.role = '{role}'", order_by=["start_time ASC"])


def artifacts(run) -> set[str]:
    folder = Path(run.info.artifact_uri.removeprefix("file://"))
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def read(run, path: str) -> str:
    return (Path(run.info.artifact_uri.removeprefix("file://")) / path).read_text()


def trials(root: Path) -> list:
    summaries = optuna.get_all_study_summaries(f"sqlite:///{root / 'optuna.db'}")
    assert len(summaries) == 1
    return optuna.load_study(study_name=summaries[0].study_name, storage=f"sqlite:///{root / 'optuna.db'}").trials


def perceptual_is_there() -> bool:
    return (SHARED / "weights").exists()


def test_the_command_ends_with_ranking_pointers_and_the_next_command(done_study: DoneStudy) -> None:
    out = done_study.command.out
    assert "profile cpu" in out.splitlines()[0]
    for part in ("seed_old", "seed_new", "seraena_author", "mean colour", "average 8x8", "reference", "[6/6]"):
        assert part in out, part
    report = re.search(r"^report\s+(.*)$", out, re.MULTILINE).group(1)
    assert Path(report).exists()
    following = re.search(r"^next\s+python -m search\.train --config (\S+)", out, re.MULTILINE).group(1)
    best = load_settings(Path(following), "cpu", ())
    with (Path(report).parent / "ranking.csv").open(encoding="utf-8") as ranking:
        first = next(csv.DictReader(ranking))
    assert best.optimizer.learning_rate == float(first["learning_rate"])


def test_the_report_shows_the_study_with_its_pictures(done_study: DoneStudy) -> None:
    (parent,) = runs(done_study.root, "study")
    page = read(parent, "report.html")
    assert len(page) < 8_000_000
    assert "Best: trial" in page
    assert "6 trials finished of 6 asked for" in page
    assert page.count("Not in the record") == 0
    drawn = {int(step) for step in re.findall(r'data-step="(\d+)"', page)}
    assert drawn == {0, 2, 4}


def test_one_parent_and_six_children(done_study: DoneStudy) -> None:
    (parent,) = runs(done_study.root, "study")
    children = runs(done_study.root, "trial")
    assert len(children) == 6
    assert {child.data.tags["mlflow.parentRunId"] for child in children} == {parent.info.run_id}
    assert {run.info.status for run in [parent, *children]} == {"FINISHED"}
    assert {"report.html", "ranking.csv", "best.toml", "conf.toml", "yardsticks.json"} <= artifacts(parent)
    assert "provenance/versions.json" in artifacts(parent)


def test_every_child_holds_every_metric(done_study: DoneStudy) -> None:
    names = set(LOSSES) - (set() if perceptual_is_there() else {"perceptual"})
    wanted = SCORES | MEASURED | {f"{kind}/{name}" for kind in ("loss", "share", "gradient_share") for name in names}
    wanted |= {"val/lpips", "val/overall"} if perceptual_is_there() else set()
    for child in runs(done_study.root, "trial"):
        assert wanted <= set(child.data.metrics), wanted - set(child.data.metrics)


def test_every_child_holds_every_parameter_and_tag(done_study: DoneStudy) -> None:
    settings = load_settings(ROOT / "conf.toml", "cpu", done_study.changes)
    wanted = flatten(recipe_of(settings))
    for number, child in enumerate(runs(done_study.root, "trial")):
        assert set(child.data.params) == set(wanted)
        assert child.data.params["training.steps"] == "4"
        tags = child.data.tags
        assert (tags["role"], tags["trial_number"], tags["state"]) == ("trial", str(number), "complete")
        assert tags["diagnosis"] in ("ok", "warning", "error")
        assert re.fullmatch("[0-9a-f]{12}", tags["identity"])
        assert {"study", "git_commit", "data_digest"} <= set(tags)
    assert len({child.data.tags["identity"] for child in runs(done_study.root, "trial")}) == 6


def test_parameters_are_those_of_the_trial(done_study: DoneStudy) -> None:
    for trial, child in zip(trials(done_study.root), runs(done_study.root, "trial"), strict=True):
        for name, value in trial.params.items():
            place = {"learning_rate": "optimizer.learning_rate", "schedule": "schedule.kind"}.get(
                name, f"losses.{name}"
            )
            assert child.data.params[place] == str(value)
        assert trial.value == pytest.approx(child.data.metrics["score"])
    author = trials(done_study.root)[2]
    assert author.user_attrs["baseline"] == "seraena_author"
    assert runs(done_study.root, "trial")[2].data.params["losses.perceptual"] == "0.0"


def test_every_child_holds_every_artifact_and_the_best_their_checkpoints(done_study: DoneStudy) -> None:
    children = runs(done_study.root, "trial")
    wanted = {"conf.toml", "evaluation.json", "summary.html", "diagnosis.md", "diagnosis.zh.md", "diagnosis.json"}
    wanted |= {"provenance/versions.json", "provenance/data_manifest.json"}
    for child in children:
        found = artifacts(child)
        assert wanted <= found
        steps = {int(step) for step in re.findall(r"validation\+step\+(\d+)\+", " ".join(found))}
        assert steps == {2, 4}
    kept = {child.info.run_id for child in children if "checkpoint/model.safetensors" in artifacts(child)}
    assert kept == {child.info.run_id for child in children if "checkpoint/clips.mp4" in artifacts(child)}
    best = sorted(children, key=lambda child: -child.data.metrics["score"])[:3]
    assert kept == {child.info.run_id for child in best}
    assert all("checkpoint/training.pt" in artifacts(child) for child in best)
    assert list((done_study.root / "running").iterdir()) == []


def test_the_evaluation_has_a_row_per_clip_and_states_the_yardsticks(done_study: DoneStudy) -> None:
    evaluation = json.loads(read(runs(done_study.root, "trial")[0], "evaluation.json"))
    assert len(evaluation["clips"]) == 4
    assert evaluation["psnr"] == pytest.approx(sum(clip["psnr"] for clip in evaluation["clips"]) / 4)
    assert set(evaluation["yardsticks"]) == {"black", "grey", "mean_colour", "average_8x8", "reference"}
    low, high = evaluation["intervals"]["val/psnr"]
    assert low <= evaluation["psnr"] <= high


def test_the_same_command_again_prints_the_result_and_trains_nothing(done_study: DoneStudy, call) -> None:
    env = {"TORCH_HOME": str(SHARED / "weights")} if perceptual_is_there() else {}
    again = call("search.run", "--trials", "6", *settings_options(*done_study.changes), **env)
    assert again.code == 0, again.err
    assert "6 of 6 trials finished" in again.out
    assert len(trials(done_study.root)) == 6
    assert (
        again.out[again.out.index(" #  trial") :] == done_study.command.out[done_study.command.out.index(" #  trial") :]
    )


def test_the_best_checkpoint_scores_the_same_by_the_evaluation_command(
    done_study: DoneStudy, call, tmp_path: Path
) -> None:
    child = max(runs(done_study.root, "trial"), key=lambda run: run.data.metrics["score"])
    checkpoint = Path(child.info.artifact_uri.removeprefix("file://")) / "checkpoint" / "model.safetensors"
    env = {"TORCH_HOME": str(SHARED / "weights")} if perceptual_is_there() else {}
    done = call(
        "model.evaluate",
        str(checkpoint),
        "--out",
        str(tmp_path),
        *settings_options(*evaluation_changes(done_study)),
        **env,
    )
    assert done.code == 0, done.err
    scores = json.loads((tmp_path / "evaluation.json").read_text())
    assert scores["psnr"] == pytest.approx(child.data.metrics["val/psnr"], abs=1e-3)


def evaluation_changes(done_study: DoneStudy) -> list[str]:
    return [change for change in done_study.changes if not change.startswith("tracking.")]


def start_study(root: Path, cache_dir: Path, *options: str) -> subprocess.Popen:
    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    return subprocess.Popen(
        arguments("search.run", *options, *settings_options(*changes)),
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_line(process: subprocess.Popen, text: str) -> list[str]:
    lines = []
    for line in process.stdout:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError("".join(lines) + process.stderr.read())


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.long)])
def test_a_stopped_study_goes_on_and_repeats_nothing(tmp_path: Path, cache_dir: Path, number: int, call) -> None:
    root = tmp_path / "mlruns"
    process = start_study(root, cache_dir, "--trials", "6")
    wait_for_line(process, "[2/6]")
    # Ctrl-C on a terminal reaches the workers too; a scheduler signals the command alone.
    signal_group = number == signal.SIGINT
    subprocess.run(["kill", f"-{int(number)}", "--", f"{'-' if signal_group else ''}{process.pid}"], check=True)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "the same command goes on from here" in err
    assert "Traceback" not in err
    states = {run.info.status for run in runs(root, "trial")}
    assert "RUNNING" not in states
    assert runs(root, "study")[0].info.status == "KILLED"
    assert TrialState.RUNNING not in {trial.state for trial in trials(root)}

    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    again = call("search.run", "--trials", "6", *settings_options(*changes))
    assert again.code == 0, again.err
    complete = [trial for trial in trials(root) if trial.state == TrialState.COMPLETE]
    assert len(complete) == 6
    assert len({json.dumps(trial.params, sort_keys=True) for trial in complete}) == 6
    # Each once, in any order: of two workers the second may finish two trials while the first is at its own, and a
    # baseline that the signal stopped goes to the end of the queue.
    baselines = [trial.user_attrs["baseline"] for trial in complete if "baseline" in trial.user_attrs]
    assert sorted(baselines) == ["seed_new", "seed_old", "seraena_author"]
    finished = [run for run in runs(root, "trial") if run.info.status == "FINISHED"]
    assert len(finished) == 6
    assert runs(root, "study")[0].info.status == "FINISHED"


@pytest.mark.long
def test_sigterm_before_the_first_trial_closes_the_study(tmp_path: Path, cache_dir: Path) -> None:
    root = tmp_path / "mlruns"
    process = start_study(root, cache_dir, "--trials", "2")
    wait_for_line(process, "0 of 2 trials finished")
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (1, "error: stopped by SIGTERM; give the same command again\n")
    (parent,) = runs(root, "study")
    assert (parent.info.status, parent.data.tags["state"]) == ("KILLED", "interrupted")


@pytest.mark.long
def test_a_second_signal_stops_at_once_and_the_next_command_closes_what_is_open(
    tmp_path: Path, cache_dir: Path, call
) -> None:
    root = tmp_path / "mlruns"
    process = start_study(root, cache_dir, "--trials", "6")
    wait_for_line(process, "[1/6]")
    process.send_signal(signal.SIGINT)  # two of one kind may come as one
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "stopped at once by a second signal; the next start closes what is left open" in err
    assert "Traceback" not in err

    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    again = call("search.run", "--trials", "6", *settings_options(*changes))
    assert again.code == 0, again.err
    assert len([trial for trial in trials(root) if trial.state == TrialState.COMPLETE]) == 6
    assert TrialState.RUNNING not in {trial.state for trial in trials(root)}
    assert "RUNNING" not in {run.info.status for role in ("study", "trial") for run in runs(root, role)}
    assert list((root / "running").iterdir()) == []
