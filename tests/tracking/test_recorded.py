"""Evidence from runs of the record."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.places import DATABASES, at
from tracking.query import find_runs
from tracking.recorded import evidence_of_run, find_run
from tracking.run import Run, start_run
from tracking.store import Store, artifact_folder

pytestmark = at(*DATABASES)

SCORES = {"psnr": 20.0, "ssim": 0.5}


@pytest.fixture
def run(store: Store) -> Run:
    return start_run(store, "mine", "train", None, {})


def test_a_run_is_found_by_how_its_id_begins(store: Store, run: Run) -> None:
    others = [start_run(store, f"run {number}", "train", None, {}) for number in range(20)]
    assert find_run(store, run.id).name == "mine"
    length = next(n for n in range(33) if not any(other.id.startswith(run.id[:n]) for other in others))
    assert find_run(store, run.id[:length]).id == run.id
    with pytest.raises(ValueError, match=r"how its id begins, but '' fits 21 runs, .*; give an id"):
        find_run(store, "")
    with pytest.raises(ValueError, match=r"none is called 'nowhere' and no id begins so; the newest are .*run 19"):
        find_run(store, "nowhere")


def test_a_run_is_found_by_its_name_unless_several_have_it(store: Store, run: Run) -> None:
    assert find_run(store, "mine").id == run.id
    other = start_run(store, "mine", "train", None, {})
    with pytest.raises(ValueError, match=rf"'mine' fits 2 runs, the newest are .*{other.id} \(mine\); give an id"):
        find_run(store, "mine")
    named_as_an_id = start_run(store, run.id[:6], "train", None, {})
    assert find_run(store, run.id[:6]).id == named_as_an_id.id


def test_a_run_that_went_on_after_an_interruption_has_not_failed(store: Store, run: Run) -> None:
    run.tags({"reason": "stopped by SIGINT"})
    run.tags({"reason": ""})  # as going on clears it
    run.finish("FINISHED")
    assert evidence_of_run(store, find_runs(store)[0]).failure is None


def test_everything_that_a_run_has(store: Store, run: Run, tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(4), "b": torch.ones(4)}, tmp_path / "start.pth")
    weights = {"a": torch.zeros(4), "b": torch.full((4,), 2.0)}
    (artifact_folder(store, run.id) / "checkpoint").mkdir(parents=True)
    save_file(weights, artifact_folder(store, run.id) / "checkpoint" / "model.safetensors", {"step": "30"})
    run.text("conf.toml", f'[losses]\nencoder = 0.5\n[network]\nweights = "{tmp_path / "start.pth"}"\n')
    run.metrics({"loss/encoder": 0.25}, 10)
    run.metrics({"loss/encoder": 0.125}, 20)
    run.json("evaluation.json", SCORES | {"yardsticks": {"black": {"psnr": 6.0}, "reference": {"psnr": 30.0}}})
    run.json("preflight.json", {"seconds": 1.0})
    run.json("shortage.json", {"batch_size": 16})
    run.tags({"reason": "losses must be finite"})
    run.finish("FAILED")
    evidence = evidence_of_run(store, find_runs(store)[0])
    assert evidence.settings == {"losses.encoder": 0.5, "network.weights": str(tmp_path / "start.pth")}
    assert evidence.curves == {"loss/encoder": [(10, 0.25), (20, 0.125)]}
    assert evidence.evaluation == SCORES
    assert (evidence.baselines, evidence.reference) == ({"black": {"psnr": 6.0}}, {"psnr": 30.0})
    assert evidence.preflight == {"seconds": 1.0}
    assert evidence.shortage == {"batch_size": 16}
    assert evidence.failure == "losses must be finite"
    (fact,) = evidence.checkpoints
    assert (fact.step, fact.mean, fact.change_from_start, fact.not_loaded) == (30, 1.0, 1.0, ())


def test_a_run_of_which_little_is_known(store: Store, run: Run) -> None:
    run.parameters({"losses.encoder": 0.5, "schedule.kind": "cosine", "network.encoder_time_strides": [2, 1]})
    evidence = evidence_of_run(store, find_runs(store)[0])
    settings = {"losses.encoder": 0.5, "schedule.kind": "cosine", "network.encoder_time_strides": [2, 1]}
    assert evidence.settings == settings
    assert (evidence.curves, evidence.evaluation, evidence.preflight, evidence.failure) == ({}, None, None, None)
    assert evidence.checkpoints == ()


def test_trials_share_the_preflight_of_their_study(store: Store) -> None:
    study = start_run(store, "study", "study", None, {})
    study.json("preflight.json", {"seconds": 2.0})
    trial = start_run(store, "trial", "trial", study, {})
    assert evidence_of_run(store, find_run(store, trial.id)).preflight == {"seconds": 2.0}
    trial.json("preflight.json", {"seconds": 3.0})
    assert evidence_of_run(store, find_run(store, trial.id)).preflight == {"seconds": 3.0}


@pytest.mark.parametrize("name", ["evaluation.json", "conf.toml", "preflight.json"])
def test_a_damaged_artifact_is_named(store: Store, run: Run, name: str) -> None:
    run.text(name, "= {")
    with pytest.raises(ValueError, match=rf"artifact {name} of run {run.id} must be "):
        evidence_of_run(store, find_runs(store)[0])
