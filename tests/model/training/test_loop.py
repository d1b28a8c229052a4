from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from model.bank import Bank
from model.data.pixels import to_unit
from model.evaluation.perceptual import Perceptual
from model.recipe import Recipe
from model.training.batches import clip_indices
from model.training.checkpoint import TRAINING, WEIGHTS
from model.training.loop import train
from model.training.measurement import Measurement
from model.training.step import NonFiniteError

CPU = torch.device("cpu")
LOSSES = ("encoder", "decoder", "reconstruction", "seraena")

EVERY_STEP = {
    *(f"loss/{name}" for name in (*LOSSES, "total")),
    *(f"share/{name}" for name in LOSSES),
    *("gradient/norm", "gradient/clipped", "learning_rate", "train/psnr", "time/step_ms", "time/data_wait_ms"),
    *("critic/loss", "critic/correction_rms"),
}
PROBED = {
    *("input/min", "input/max", "input/mean", "input/std", "output/std_ratio", "output/saturated_share"),
    *("weights/change", "weights/expected_change", "weights/identical_share"),
    *("weights/below_precision", "weights/bits"),
    *("average/change", "adam/starved_share", "steps/skipped"),
    *(f"gradient_share{place}/{name}" for place in ("", "_encoder", "_decoder") for name in (*LOSSES, "perceptual")),
}
EVALUATED = {"score", "val/psnr", "val/ssim", "val/flicker"}


def run(settings: Recipe, bank: Bank, folder: Path | None = None) -> list[Measurement]:
    return list(train(settings, bank, perceptual=None, device=CPU, folder=folder))


def assert_same(measured: Iterable[Measurement], expected: Iterable[Measurement]) -> None:
    """Equal to the last bit in everything but the time."""
    for ours, theirs in zip(measured, expected, strict=True):
        assert ours.step == theirs.step
        assert without_times(ours) == without_times(theirs)
        assert ours.scores == theirs.scores
        assert (ours.picture is None) == (theirs.picture is None)
        if ours.picture is not None:
            np.testing.assert_array_equal(ours.picture, theirs.picture)


def without_times(measurement: Measurement) -> dict[str, float]:
    return {name: value for name, value in measurement.values.items() if not name.startswith("time/")}


def assert_same_files(folder: Path, expected: Path) -> None:
    """Equal to the last bit: weights, average, optimizer, critic, replay ring, step."""
    ours, theirs = (torch.load(path / TRAINING, weights_only=True) for path in (folder, expected))
    assert ours["run"] == theirs["run"]
    torch.testing.assert_close(ours["state"], theirs["state"], rtol=0, atol=0)
    torch.testing.assert_close(load_file(folder / WEIGHTS), load_file(expected / WEIGHTS), rtol=0, atol=0)


def test_every_measurement_has_its_metrics(recipe: Callable[..., Recipe], bank: Bank) -> None:
    names = {measurement.step: set(measurement.values) for measurement in run(recipe(), bank)}
    assert names == {
        1: EVERY_STEP,
        2: EVERY_STEP | PROBED | EVALUATED,
        3: EVERY_STEP,
        4: EVERY_STEP | PROBED | EVALUATED,
    }


def test_measurements_come_when_they_are_due_and_at_the_last_step(recipe: Callable[..., Recipe], bank: Bank) -> None:
    intervals = ("training.log_every=3", "training.probe_every=4", "training.evaluate_every=5")
    measured = run(recipe("training.steps=7", *intervals), bank)
    assert [measurement.step for measurement in measured] == [3, 4, 5, 6, 7]
    assert [measurement.step for measurement in measured if measurement.scores] == [5, 7]
    assert [measurement.step for measurement in measured if measurement.picture is not None] == [5, 7]
    assert [measurement.step for measurement in measured if "input/max" in measurement.values] == [4, 7]


def test_all_five_losses_run_together(recipe: Callable[..., Recipe], larger_bank: Bank, lpips: Perceptual) -> None:
    settings = recipe("losses.perceptual=0.5", "training.steps=2", "data.crop_px=32")
    *_, last = train(settings, larger_bank, perceptual=lpips, device=CPU)
    assert sum(last.values[f"share/{name}"] for name in (*LOSSES, "perceptual")) == pytest.approx(1, abs=1e-5)
    assert all(last.values[f"gradient_share/{name}"] > 0 for name in (*LOSSES, "perceptual"))
    assert last.values["val/lpips"] > 0


def test_training_learns_more_than_the_mean_colour(recipe: Callable[..., Recipe], bank: Bank) -> None:
    settings = recipe(
        *("training.steps=60", "training.batch_size=8", "training.evaluate_every=60", "training.log_every=60"),
        *("losses.reconstruction=10.0", "optimizer.learning_rate=0.003", "schedule.kind=constant"),
    )
    (first,) = islice(train(recipe("training.batch_size=8"), bank, perceptual=None, device=CPU), 1)
    *_, last = run(settings, bank)
    mean_colour = to_unit(bank.training).var((0, 1, 3, 4), correction=0).mean().item()
    assert first.values["loss/reconstruction"] > mean_colour
    assert last.values["loss/reconstruction"] < 0.8 * mean_colour


def test_equal_seeds_give_equal_bits_and_others_do_not(recipe: Callable[..., Recipe], bank: Bank) -> None:
    first, second = (run(recipe("training.steps=2"), bank) for _ in range(2))
    assert_same(first, second)
    other = run(recipe("training.steps=2", "training.seed=1"), bank)
    assert other[0].values["loss/total"] != first[0].values["loss/total"]


def test_a_resumed_run_is_the_uninterrupted_one_bit_for_bit(
    recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path
) -> None:
    whole = run(recipe(), bank, tmp_path / "whole")
    steps = train(recipe(), bank, perceptual=None, device=CPU, folder=tmp_path / "halves")
    # The checkpoint of step 2 is written once its measurement was taken, that is, when the next is asked for.
    assert_same(islice(steps, 3), whole[:3])
    steps.close()
    assert_same(run(recipe(), bank, tmp_path / "halves"), whole[2:])
    assert_same_files(tmp_path / "halves", tmp_path / "whole")
    assert run(recipe(), bank, tmp_path / "halves") == []


def test_a_run_that_died_between_the_two_files_resumes_from_the_older(
    recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path
) -> None:
    whole = run(recipe(), bank, tmp_path / "whole")
    steps = train(recipe(), bank, perceptual=None, device=CPU, folder=tmp_path / "broken")
    assert [next(steps).step for _ in range(4)] == [1, 2, 3, 4]
    # A folder where training.pt's temporary file should go: the last save dies after model.safetensors.
    obstacle = (tmp_path / "broken" / TRAINING).with_suffix(".tmp")
    obstacle.mkdir()
    with pytest.raises(OSError):
        next(steps)
    assert torch.load(tmp_path / "broken" / TRAINING, weights_only=True)["state"]["step"] == 2
    obstacle.rmdir()
    assert_same(run(recipe(), bank, tmp_path / "broken"), whole[2:])
    assert_same_files(tmp_path / "broken", tmp_path / "whole")


def test_the_way_since_the_last_probe_survives_a_restart_between_probes(
    recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path
) -> None:
    """Probes after steps 3 and 6, a restart from the checkpoint of step 4."""
    settings = recipe(
        "training.steps=6", "training.probe_every=3", "training.checkpoint_every=4", "schedule.kind=linear"
    )
    whole = run(settings, bank)
    steps = train(settings, bank, perceptual=None, device=CPU, folder=tmp_path)
    assert [next(steps).step for _ in range(5)] == [1, 2, 3, 4, 5]
    steps.close()
    resumed = run(settings, bank, tmp_path)
    assert_same(resumed, whole[4:])
    assert resumed[-1].values["weights/expected_change"] > 0


def test_counts_since_the_last_measurement_survive_a_restart(
    recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path
) -> None:
    settings = recipe("training.log_every=3", "training.probe_every=4", "training.evaluate_every=4")
    steps = train(settings, bank, perceptual=None, device=CPU, folder=tmp_path)
    first = next(steps)
    steps.close()
    assert torch.load(tmp_path / TRAINING, weights_only=True)["state"]["tally"]["steps"] == 2
    assert_same(run(settings, bank, tmp_path)[:1], [first])


def test_steps_that_are_evaluated_besides_change_no_training(
    recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path
) -> None:
    settings = recipe("training.steps=6", "training.evaluate_every=4")
    plain = run(settings, bank, tmp_path / "plain")
    more = list(train(settings, bank, perceptual=None, device=CPU, folder=tmp_path / "more", evaluate_at=(3,)))
    assert [measured.step for measured in plain if measured.scores] == [4, 6]
    assert [measured.step for measured in more if measured.scores] == [3, 4, 6]
    ours, theirs = (load_file(tmp_path / name / WEIGHTS) for name in ("more", "plain"))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)


def test_a_closed_run_stops_without_another_checkpoint(
    recipe: Callable[..., Recipe], bank: Bank, tmp_path: Path
) -> None:
    steps = train(recipe(), bank, perceptual=None, device=CPU, folder=tmp_path)
    assert next(steps).step == 1
    steps.close()
    assert list(steps) == []
    assert list(tmp_path.iterdir()) == []


def test_a_nan_in_the_bank_stops_the_step_that_meets_it(recipe: Callable[..., Recipe], bank: Bank) -> None:
    latents = bank.training_latents.clone()
    latents[clip_indices(2, len(latents), 2, seed=0)[0], 1] = float("nan")
    steps = train(recipe(), replace(bank, training_latents=latents), perceptual=None, device=CPU)
    assert [next(steps).step, next(steps).step] == [1, 2]
    with pytest.raises(NonFiniteError, match="at step 3 encoder = nan"):
        next(steps)


def test_weights_that_blow_up_at_an_evaluated_step_stop_it_too(recipe: Callable[..., Recipe], bank: Bank) -> None:
    changed = recipe("optimizer.learning_rate=1e30", "training.evaluate_every=1")
    with pytest.raises(NonFiniteError, match="evaluating step 1: the output must be finite") as found:
        next(train(changed, bank, perceptual=None, device=CPU))
    assert (found.value.step, found.value.of_evaluation) == (1, True)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ([f"losses.{name}=0.0" for name in LOSSES], "a loss must have a weight above 0, but all five are 0"),
        (["losses.perceptual=0.2"], r"needs LPIPS, but it is 0\.2 .* set losses\.perceptual = 0"),
        (['training.execution="captured"'], 'needs CUDA, but the device is cpu; set training.execution = "auto"'),
        (['training.precision="bfloat16"'], "needs CUDA, but the device is cpu; set training.precision"),
    ],
)
def test_settings_that_cannot_be_trained_are_refused_at_the_call(
    recipe: Callable[..., Recipe], bank: Bank, changes: list[str], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        train(recipe(*changes), bank, perceptual=None, device=CPU)
