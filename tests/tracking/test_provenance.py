"""Where a result comes from."""

import json
import platform
import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import torch
from mlflow import MlflowClient

from tracking.provenance import PACKAGES, changes, log_provenance, provenance
from tracking.run import start_run
from tracking.source import Source, running_source
from tracking.store import Store, artifact_folder

ROOT = Path(__file__).resolve().parents[2]


def test_every_dependency_that_can_change_a_result_is_recorded() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    optional = project["optional-dependencies"]
    wanted = [*project["dependencies"], *optional["reference"], *optional["cluster"]]
    names = {re.split(r"[\[<>=]", requirement)[0] for requirement in wanted}
    assert names == set(PACKAGES) - {"mlflow-skinny"}


def test_it_describes_this_process() -> None:
    found = provenance()
    assert found["python"] == platform.python_version()
    assert found["packages"]["numpy"] == version("numpy")
    assert found["torch"] == {"cuda": torch.version.cuda, "cuda_available": torch.cuda.is_available()}
    assert found["git"]["commit"] == running_source().commit
    assert found["cpu"]
    json.dumps(found)


def test_a_run_says_where_it_comes_from(store: Store) -> None:
    run = start_run(store, "t", "train", None, {})
    manifest = [{"name": "a.mp4", "sha256": "1"}]
    log_provenance(run, manifest, "abcdef012345")

    folder = artifact_folder(store, run.id) / "provenance"
    assert json.loads((folder / "data_manifest.json").read_text()) == manifest
    assert json.loads((folder / "versions.json").read_text()) == provenance()
    source = running_source()
    assert (folder / "git.diff").exists() == (source.dirty is True)
    found = MlflowClient(tracking_uri=store.uri).get_run(run.id)
    assert found.data.tags["data_digest"] == "abcdef012345"
    assert found.data.tags["git_commit"] == (source.commit or f"unknown: {source.note}")
    assert [entry.dataset.digest for entry in found.inputs.dataset_inputs] == ["abcdef012345"]


def test_new_files_are_named_above_the_difference() -> None:
    text = changes(Source("c" * 40, "-old\n+new\n", ("notes.txt",), ""))
    assert text == "# untracked: notes.txt\n-old\n+new\n"
