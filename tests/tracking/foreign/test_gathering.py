"""Evidence from any subset of a run's files."""

import math
from collections.abc import Callable

import pytest

from model.settings import build, read_tables
from search.settings import Settings
from tests.commands import ROOT
from tests.tracking.foreign.failed_run import FailedRun
from tracking.diagnosis.stored import CheckpointFacts
from tracking.foreign.gathering import Files, Gathered, divergence, gather, last_scores


@pytest.fixture(scope="module")
def read() -> Callable[..., tuple[Gathered, list[str]]]:
    """Gather from files with the names of conf.toml; also returns what was said."""
    names = build(Settings, read_tables(ROOT / "conf.toml", "cpu")).diagnosis

    def run(**files) -> tuple[Gathered, list[str]]:
        said: list[str] = []
        return gather(Files(**files), names, said.append), said

    return run


def test_all_files_of_the_failed_run(read, failed_files: FailedRun) -> None:
    names = ("checkpoints", "events", "evaluation", "config", "pretrained")
    gathered, said = read(**{name: getattr(failed_files, name) for name in names})
    evidence = gathered.evidence
    assert evidence.curves["loss/reconstruction"] == [(56504, pytest.approx(5e-6)), (100000, pytest.approx(5e-6))]
    assert evidence.curves["loss/total"][0] == (56504, pytest.approx(0.021362))
    assert evidence.settings["losses.reconstruction"] == 0.1
    assert evidence.evaluation == {"psnr": 4.24, "ssim": 0.012, "lpips": 0.806, "overall": 4.1}
    assert evidence.origin("loss/reconstruction") == "tag train/reconstruction_loss"
    assert evidence.origin("losses.reconstruction") == "args.reconstruction_loss_weight"
    assert evidence.last_step() == 100000
    facts = evidence.checkpoints
    assert [fact.step for fact in facts] == [82000, 90000, 100000, None]
    assert [fact.identical_share for fact in facts] == [None, 1.0, 1.0, 1.0]
    assert [fact.change for fact in facts] == [None, 0.0, 0.0, 0.0]
    assert all(fact.change_from_start is not None and fact.change_from_start > 0.1 for fact in facts)
    assert gathered.others["args.color_jitter_params.hue"] == 0.08
    text = "\n".join(said)
    assert "not known here: system/gpu_memory_gb" in text
    assert "checkpoints 4 read, steps 82000 to 100000" in text
    assert "not read: args.output_dir = " in text


@pytest.mark.parametrize("name", ["checkpoints", "events", "evaluation", "config"])
def test_one_file_is_enough(read, failed_files: FailedRun, name: str) -> None:
    evidence = read(**{name: getattr(failed_files, name)})[0].evidence
    known = {
        "checkpoints": bool(evidence.checkpoints),
        "events": bool(evidence.curves),
        "evaluation": bool(evidence.evaluation),
        "config": bool(evidence.settings),
    }
    assert [part for part, there in known.items() if there] == [name]


def test_starting_weights_alone_are_nothing_to_look_at(failed_files: FailedRun) -> None:
    assert not Files(pretrained=failed_files.pretrained).given()
    assert Files(config=failed_files.config).given()


def test_a_curve_of_scores_stands_for_an_evaluation() -> None:
    curves = {"val/psnr": [(200, 4.24), (100, 9.0)], "val/ssim": [(200, 0.012)]}
    assert last_scores(curves) == {"psnr": 4.24, "ssim": 0.012}
    assert last_scores({"val/ssim": [(200, 0.012)]}) is None


def test_values_that_are_not_finite_are_told_as_a_divergence() -> None:
    curves = {"loss/total": [(10, 1.0), (30, math.nan)], "gradient/norm": [(20, math.inf)]}
    text = divergence(curves, (CheckpointFacts("a.pth", 40),))
    assert text is not None
    assert "gradient/norm is not finite from step 20 on; a.pth holds values that are not finite" in text
    assert divergence({"loss/total": [(10, 1.0)]}, (CheckpointFacts("a.pth", 40, mean=0.0),)) is None
