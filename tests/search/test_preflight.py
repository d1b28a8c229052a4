import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

import optuna
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run as MlflowRun

from model.cli import run
from model.data.pixels import to_unit
from model.settings import flatten
from search import train
from search.opening import OpenStudy, closed_on_error, open_everything
from search.preflight import PreflightRefusal, check_study, decide, judge, measure, typical_recipe
from search.preparation import Preparation
from search.record import evidence_before, start_training_record
from search.settings import Settings, recipe_of
from tests.commands import ROOT, Command, environment, settings_options
from tracking.diagnosis import Diagnosis
from tracking.diagnosis.texts import finding
from tracking.query import find_runs, read_json
from tracking.store import artifact_folder

#: `python -m search.run` in a process whose training divides its frames by 255 once more.
SABOTAGED = """
import sys
import model.training.batches as batches
from model.cli import run
from search.run import main

honest = batches.to_unit
batches.to_unit = lambda pixels: honest(pixels) / 255
sys.argv[0] = "search.run"
run(main)
"""


def divide_again(patch: pytest.MonkeyPatch, module: str = "model.training.batches") -> None:
    patch.setattr(f"{module}.to_unit", lambda pixels: to_unit(pixels) / 255)


def found_with(*severities: str) -> Diagnosis:
    """A diagnosis with a finding of each of these severities."""
    codes = {"error": "data.double_normalised", "warning": "schedule.warmup_too_long", "info": "loss.dominates"}
    findings = tuple(finding(codes[severity], severity, 0.9, ("x = 1",)) for severity in severities)
    return Diagnosis(findings, (), "error")


def test_warnings_and_remarks_stop_nothing() -> None:
    assert decide(found_with("warning", "info"), force=False) == ()
    assert decide(found_with(), force=False) == ()


def test_an_error_stops_and_says_how_to_go_on() -> None:
    with pytest.raises(PreflightRefusal, match=r"found data\.double_normalised; .* --force$") as error:
        decide(found_with("error", "warning"), force=False)
    assert "\n" not in str(error.value)
    assert decide(found_with("error", "error", "warning"), force=True) == ("data.double_normalised",)


def test_the_typical_recipe_lies_in_the_middle_of_the_space(tiny: Callable[..., Settings]) -> None:
    settings = tiny(
        "search.space.encoder=[0.01, 1.0]",
        "search.space.learning_rate=[1e-4, 1e-2]",
        'search.space.schedule=["constant", "cosine", "constant_with_warmup"]',
        "search.baselines.seed_old.schedule=cosine",
        "schedule.warmup_share=0.5",
        "training.steps=100",
        "losses.seraena=0",
    )
    recipe = typical_recipe(settings, perceptual=True)
    assert recipe.losses.encoder == pytest.approx(0.1)
    assert recipe.losses.seraena > 0
    assert recipe.losses.perceptual > 0
    assert recipe.optimizer.learning_rate == pytest.approx(1e-3)
    assert recipe.schedule.kind == "cosine"  # as long a warm-up as constant_with_warmup, and low rates after it
    assert recipe.network == settings.network
    assert typical_recipe(settings, perceptual=False).losses.perceptual == 0


def test_a_sound_study_goes_on_with_what_was_measured(opened: OpenStudy, tiny: Callable[..., Settings]) -> None:
    lines: list[str] = []
    checked = check_study(opened, tiny(), lines.append, force=False)
    report = checked.prepared.preflight
    assert report is not None
    assert report.training_input.range.maximum > 0.5
    written = read_json(opened.prepared.store, opened.parent.id, "preflight.json")
    assert written == json.loads(json.dumps(report.to_json()))
    assert checked.prepared.forced == ()
    assert not [line for line in lines if line.startswith("preflight: error")]
    assert tags_of(opened.prepared, opened.parent.id).get("forced") is None
    # Each trial is diagnosed with it, under its own weights.
    settings = tiny("losses.encoder=0.25", "losses.perceptual=0")
    record = start_training_record(checked.prepared, settings, name="t", role="trial", parent=opened.parent, tags={})
    evidence = record.evidence(None)
    assert evidence.preflight is not None
    assert evidence.preflight["losses"]["encoder"]["weight"] == 0.25
    assert evidence.preflight["training_input"]["range"]["maximum"] == report.training_input.range.maximum


def test_with_nothing_found_one_line_says_so_and_how_long_it_took(
    prepared: Preparation, tiny: Callable[..., Settings]
) -> None:
    lines: list[str] = []
    recipe = recipe_of(tiny("losses.perceptual=0"))
    report = replace(run_once(prepared, recipe), seconds=7.4)
    judge(evidence_before(recipe, prepared.yardsticks, report), report, lines.append)
    assert lines == ["preflight: ok, 7 s"]


def test_a_finding_is_one_line_with_its_number_and_its_remedy(
    prepared: Preparation, tiny: Callable[..., Settings]
) -> None:
    lines: list[str] = []
    recipe = recipe_of(tiny("losses.perceptual=0", "schedule.warmup_share=0.5"))
    report = run_once(prepared, recipe)
    diagnosis = judge(evidence_before(recipe, prepared.yardsticks, report), report, lines.append)
    (found,) = diagnosis.findings
    assert lines == [f"preflight: warning schedule.warmup_too_long: {found.evidence[0]}; {found.remedy}"]


def run_once(prepared: Preparation, recipe):
    from model.preflight.preflight import run_preflight

    return run_preflight(recipe, prepared.bank, prepared.perceptual, prepared.device, lambda _line: None)


def tags_of(prepared: Preparation, run_id: str) -> dict[str, str]:
    return dict(MlflowClient(tracking_uri=prepared.store.uri).get_run(run_id).data.tags)


def test_codes_that_were_forced_are_tags_of_every_run(prepared: Preparation, tiny: Callable[..., Settings]) -> None:
    forced = replace(prepared, forced=("data.leak", "loss.inert"))
    record = start_training_record(forced, tiny(), name="t", role="trial", parent=None, tags={})
    assert tags_of(prepared, record.run.id)["forced"] == "data.leak, loss.inert"


def test_a_preflight_that_cannot_run_ends_the_study_as_failed(
    opened: OpenStudy, tiny: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_arguments: object) -> NoReturn:
        raise RuntimeError("planted")

    monkeypatch.setattr("model.training.step.run_passes", broken)
    with pytest.raises(RuntimeError, match="planted"), closed_on_error(opened.parent):
        check_study(opened, tiny(), lambda _line: None, force=True)
    (row,) = find_runs(opened.prepared.store, role="study")
    assert (row.status, row.tags["state"], row.tags["reason"]) == ("FAILED", "failed", "planted")


@pytest.mark.parametrize("module", ["model.training.batches", "model.evaluation.evaluation"])
def test_a_refused_study_leaves_its_reason_in_its_run(
    opened: OpenStudy, tiny: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    """In both directions of the fault: training and evaluation."""
    divide_again(monkeypatch, module)
    lines: list[str] = []
    with pytest.raises(PreflightRefusal, match=r"data\.double_normalised"), closed_on_error(opened.parent):
        check_study(opened, tiny(), lines.append, force=False)
    assert any(line.startswith("preflight: error data.double_normalised: ") for line in lines)
    (row,) = find_runs(opened.prepared.store, role="study")
    assert (row.status, row.tags["state"], row.tags["diagnosis"]) == ("FAILED", "failed", "error")
    assert "data.double_normalised" in row.tags["reason"]
    folder = artifact_folder(opened.prepared.store, row.id)
    names = {path.name for path in folder.iterdir()}
    assert {"preflight.json", "diagnosis.json", "diagnosis.md", "diagnosis.zh.md"} <= names
    assert "data.double_normalised" in (folder / "diagnosis.md").read_text()

    monkeypatch.undo()
    again = open_everything(tiny(), lambda _line: None, 50)
    check_study(again, tiny(), lambda _line: None, force=False)
    (row,) = find_runs(opened.prepared.store, role="study")
    assert (row.status, row.tags["state"], row.tags["reason"]) == ("RUNNING", "running", "")
    assert row.tags["diagnosis"] != "error"


def test_a_forced_study_goes_on_and_says_so(
    opened: OpenStudy, tiny: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    divide_again(monkeypatch)
    checked = check_study(opened, tiny(), lambda _line: None, force=True)
    assert "data.double_normalised" in checked.prepared.forced
    (row,) = find_runs(opened.prepared.store, role="study")
    assert row.status == "RUNNING"
    assert row.tags["forced"] == ", ".join(checked.prepared.forced)


def test_the_command_stops_before_a_trial_and_names_the_cause(
    tiny_changes: list[str], record: Path, cache_dir: Path
) -> None:
    done = sabotaged_study(tiny_changes)
    assert done.code == 1
    assert "data.double_normalised" in done.out
    assert "data.double_normalised" in done.err
    assert "--force" in done.err
    assert done.err.count("\n") == 1
    storage = f"sqlite:///{record / 'optuna.db'}"
    (name,) = optuna.get_all_study_names(storage)
    assert optuna.load_study(study_name=name, storage=storage).trials == []
    (found,) = runs(record)
    assert (found.info.status, found.data.tags["role"], found.data.tags["state"]) == ("FAILED", "study", "failed")
    folder = Path(found.info.artifact_uri.removeprefix("file://"))
    assert json.loads((folder / "preflight.json").read_text())["training_input"]["range"]["maximum"] < 0.005
    assert "data.double_normalised" in (folder / "diagnosis.md").read_text()


def sabotaged_study(changes: list[str]) -> Command:
    done = subprocess.run(
        [sys.executable, "-c", SABOTAGED, "--trials", "2", *settings_options(*changes)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return Command(done.returncode, done.stdout, done.stderr)


def runs(root: Path) -> list[MlflowRun]:
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    return list(client.search_runs([client.get_experiment_by_name("taehv").experiment_id]))


@pytest.mark.parametrize("force", [False, True])
def test_a_single_run_is_refused_or_forced(
    tiny_changes: list[str],
    record: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    force: bool,
) -> None:
    divide_again(monkeypatch)
    options = settings_options(*tiny_changes, "losses.perceptual=0") + (["--force"] if force else [])
    monkeypatch.setattr(sys, "argv", ["search.train", *options])
    with pytest.raises(SystemExit) as left:
        run(train.main)
    (found,) = runs(record)
    folder = Path(found.info.artifact_uri.removeprefix("file://"))
    assert (folder / "preflight.json").exists()
    diagnosis = json.loads((folder / "diagnosis.json").read_text())
    assert diagnosis["findings"][0]["code"] == "data.double_normalised"
    if force:
        assert not left.value.code
        assert "data.double_normalised" in found.data.tags["forced"]
        assert found.info.status == "FINISHED"
    else:
        assert left.value.code == 1
        assert "--force" in capsys.readouterr().err
        assert "forced" not in found.data.tags
        assert (found.info.status, found.data.metrics) == ("FAILED", {})
        assert "--force" in diagnosis["failure"]


def test_the_settings_of_a_judgement_are_those_that_were_measured(
    opened: OpenStudy, tiny: Callable[..., Settings]
) -> None:
    settings = tiny()
    recipe = typical_recipe(settings, perceptual=False)
    report = measure(recipe, opened.prepared, opened.parent, lambda _line: None)
    weights = {name: loss.weight for name, loss in report.losses.items()}
    flat = flatten(recipe)
    assert weights == {name: flat[f"losses.{name}"] for name in weights}
