"""A promotion whose record and registry are an MLflow server: registered, downloaded, and gone on with from there."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model.training.checkpoint import WEIGHTS
from search.promotion.kept import BEST
from search.settings import Settings, load_settings
from tests.commands import ROOT, environment
from tests.places import Place, at
from tests.search.promotable import SHORT, make_promotable, promote_again
from tracking.artifacts import FETCHED
from tracking.query import find_runs
from tracking.registry import find_alias
from tracking.store import artifact_folder, open_store

pytestmark = [at("server"), pytest.mark.long]

DOWNLOAD = "import sys, mlflow; print(mlflow.artifacts.download_artifacts(sys.argv[1], dst_path=sys.argv[2]))"


@pytest.mark.usefixtures("record")
def test_a_server_keeps_the_model_and_the_checkpoint(
    tiny_changes: list[str], place: Place, tmp_path: Path, call: Callable
) -> None:
    model = f"promotion.model={place.experiment}"
    changes = [*tiny_changes, *SHORT, model, "promotion.candidates=1"]
    opened = make_promotable(changes)
    settings: Settings = load_settings(ROOT / "conf.toml", "cpu", changes)
    promote_again(settings)
    store = open_store(settings.tracking)
    (row,) = find_runs(store, role="full")
    kept = artifact_folder(store, row.id) / "checkpoint"
    before = {name: load_file(kept / name.name) for name in (WEIGHTS, BEST)}

    fetched = subprocess.run(
        [sys.executable, "-c", DOWNLOAD, f"models:/{place.experiment}@challenger", str(tmp_path / "model")],
        env=environment(MLFLOW_TRACKING_URI=place.tracking_uri, MLFLOW_REGISTRY_URI=place.tracking_uri),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    folder = Path(fetched.stdout.split()[-1])
    same(load_file(folder / "model.safetensors"), before[BEST])
    scored = call("model.evaluate", str(folder / "model.safetensors"), "--config", str(folder / "conf.toml"))
    assert scored.code == 0, scored.err

    # Another machine, after a kill between handing the checkpoint over and the end of the run: nothing of it lies here.
    store.client.set_terminated(row.id, "KILLED")
    shutil.rmtree(artifact_folder(store, row.id))
    shutil.rmtree(store.root / FETCHED, ignore_errors=True)
    out = promote_again(settings)
    assert "goes on from its last checkpoint; 16 of 16 steps are recorded" in out
    assert "[4/16]" not in out
    (done,) = find_runs(store, role="full")
    assert (done.id, done.status) == (row.id, "FINISHED")
    for name, weights in before.items():
        same(load_file(artifact_folder(store, row.id) / "checkpoint" / name.name), weights)
    alias = find_alias(store, place.experiment, "challenger")
    assert alias is not None
    assert (alias.number, alias.run_id) == ("1", row.id)
    assert opened.prepared.store.uploads


def same(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> None:
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)
