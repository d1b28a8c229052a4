"""A foreign run as the record has it afterwards."""

import math

import pytest

from tracking.diagnosis import Evidence, diagnose
from tracking.diagnosis.stored import CheckpointFacts
from tracking.foreign.importing import allowed_names, import_run
from tracking.query import find_runs, history, read_json
from tracking.recorded import evidence_of_run
from tracking.store import Store

EVIDENCE = Evidence(
    settings={"losses.reconstruction": 0.1, "schedule.kind": "cosine_with_restarts", "network.weights": "a.pth"},
    curves={
        "loss/reconstruction": [(10, 5e-6), (20, 5e-6)],
        "foreign/gpu (GB)": [(20, 61.5)],
        "loss/total": [(10, math.nan), (20, 0.5)],
    },
    evaluation={"psnr": 4.24, "ssim": 0.012, "lpips": 0.806},
    baselines={"black": {"psnr": 6.0}},
    reference={"psnr": 30.0},
    checkpoints=(CheckpointFacts("a", 10, 0.1, 0.2, None, "float32", 1.0, 0.0, None, ("b: missing",)),),
    origins={"loss/reconstruction": "tag train/reconstruction_loss"},
)


def test_the_run_stands_beside_ours(store: Store) -> None:
    run = import_run(store, "theirs", EVIDENCE, {"args.betas": (0.9, 0.95)}, diagnose(EVIDENCE))
    (row,) = find_runs(store, foreign="true")
    assert (row.id, row.name, row.role, row.status) == (run.id, "theirs", "train", "FINISHED")
    assert row.tags["diagnosis"] == "error"
    assert row.tags["nonfinite"] == "loss/total at step 10"
    assert row.parameters == {
        "losses.reconstruction": "0.1",
        "schedule.kind": "cosine_with_restarts",
        "network.weights": "a.pth",
        "foreign.args.betas": "(0.9, 0.95)",
    }
    assert history(store, row.id, "loss/reconstruction") == [(10, 5e-6), (20, 5e-6)]
    assert history(store, row.id, "foreign/gpu _GB_") == [(20, 61.5)]
    assert row.metrics["val/psnr"] == 4.24
    assert row.metrics["score"] == pytest.approx(50 * 4.24 / 40 + 50 * 0.012)
    assert read_json(store, row.id, "diagnosis.json")["findings"][0]["code"] == "data.double_normalised"
    assert read_json(store, row.id, "evaluation.json")["yardsticks"]["reference"] == {"psnr": 30.0}


def test_what_was_read_of_it_is_still_evidence_later(store: Store) -> None:
    import_run(store, "theirs", EVIDENCE, {}, diagnose(EVIDENCE))
    evidence = evidence_of_run(store, find_runs(store)[0])
    assert evidence.checkpoints == EVIDENCE.checkpoints
    assert evidence.origins == EVIDENCE.origins
    assert evidence.settings == EVIDENCE.settings
    assert (evidence.evaluation, evidence.baselines) == (EVIDENCE.evaluation, EVIDENCE.baselines)
    assert diagnose(evidence) == diagnose(EVIDENCE)


def test_a_name_is_taken_once(store: Store) -> None:
    import_run(store, "theirs", Evidence(), {}, diagnose(Evidence()))
    with pytest.raises(ValueError, match="--import-as must be a new name, but the record has a foreign run 'theirs'"):
        import_run(store, "theirs", Evidence(), {}, diagnose(Evidence()))
    assert len(find_runs(store)) == 1


def test_names_that_mlflow_refuses() -> None:
    names = ["a(1)", "a[1]", "/b//c", "d/../e", "平均/损失"]
    assert list(allowed_names(dict.fromkeys(names))) == ["a_1_", "a_1__2", "b/c", "d/e", "平均/损失"]
