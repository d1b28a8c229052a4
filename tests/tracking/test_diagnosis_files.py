"""Where a diagnosis is written."""

import json
from pathlib import Path

import pytest

from tracking.diagnosis import Evidence, diagnose
from tracking.diagnosis_files import log_diagnosis, write_diagnosis
from tracking.query import find_runs, read_json
from tracking.run import Run, start_run
from tracking.store import Store, artifact_folder

EVIDENCE = Evidence(curves={"loss/reconstruction": [(1, 5e-6)]}, evaluation={"psnr": 4.24})


def test_a_folder_gets_both_languages_and_the_fields(tmp_path: Path) -> None:
    write_diagnosis(diagnose(EVIDENCE), EVIDENCE, tmp_path / "new" / "folder")
    texts = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "new" / "folder").iterdir()}
    assert sorted(texts) == ["diagnosis.json", "diagnosis.md", "diagnosis.zh.md"]
    assert json.loads(texts["diagnosis.json"])["verdict"] == "error"
    assert all("data.double_normalised" in text for text in texts.values())
    assert "诊断" in texts["diagnosis.zh.md"]


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match=r"results need a folder, but .*file.* cannot be made .* --out"):
        write_diagnosis(diagnose(EVIDENCE), EVIDENCE, tmp_path / "file")


def test_a_run_gets_artifacts_and_tag_and_stays_as_it_is(store: Store) -> None:
    run = start_run(store, "t", "train", None, {})
    run.finish("KILLED")
    (before,) = find_runs(store)
    log_diagnosis(diagnose(EVIDENCE), EVIDENCE, Run(store, run.id))
    (after,) = find_runs(store)
    assert (after.status, after.end_ms) == ("KILLED", before.end_ms)
    assert after.tags["diagnosis"] == "error"
    assert read_json(store, run.id, "diagnosis.json")["findings"][0]["code"] == "data.double_normalised"
    assert "诊断" in (artifact_folder(store, run.id) / "diagnosis.zh.md").read_text(encoding="utf-8")
