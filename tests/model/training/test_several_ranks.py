"""Two ranks train as one does: the same steps up to rounding, the same bits on both, files that either goes on from."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from model.bank import Bank
from model.evaluation.perceptual import Perceptual
from model.ranks import ALONE, Ranks
from model.recipe import Recipe
from model.settings import build, read_tables
from model.training.batches import clip_indices, take_batch
from model.training.capture import Captures
from model.training.checkpoint import TRAINING, WEIGHTS
from model.training.loop import train
from model.training.measurement import Measurement
from model.training.perceptual_loss import compare_frames, describe_targets
from model.training.state import start_state
from model.training.step import NonFiniteError, Step
from model.training.stepping import start_stepping
from tests.commands import ROOT, TINY
from tests.together import together

CPU = torch.device("cpu")

#: Sums over two halves round otherwise than one over the whole: some units in the last place of float32 (6e-8) a step. Measured
#: over these twelve steps: losses and probes within 2e-6 of their size, weights within 1e-7, the critic's within
#: 1e-5 (AdamW divides by the size of the gradient: one of next to nothing may move its weight the other way).
OF_NUMBERS, OF_WEIGHTS = 2e-5, 5e-5

STEPS, HALF = 12, 6


@dataclass(frozen=True)
class Case:
    """All that the ranks are given: settings that fill and replace the ring, a bank, a bank with a NaN, folders."""

    recipe: Recipe
    bank: Bank
    damaged: Bank
    begun: Path  # by two ranks
    taken_over: Path  # by two ranks from one


@dataclass(frozen=True)
class Outcome:
    """What a rank saw."""

    steps: list[Step]
    state: dict[str, Any]
    whole: list[Measurement]
    resumed: list[Measurement]
    stopped: str


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory, bank: Bank) -> Case:
    folder = tmp_path_factory.mktemp("ranks")
    # 12 samples of each step go into a ring of 110 rows: it is full in the tenth, and rows are replaced from then on.
    changes = ["losses.perceptual=0", "data.crop_px=16", "training.batch_size=4"]
    intervals = [f"training.steps={STEPS}", f"training.checkpoint_every={HALF}", f"training.evaluate_every={HALF}"]
    settings = build(Recipe, read_tables(ROOT / "conf.toml", "cpu", [*TINY, *changes, *intervals]))
    latents = bank.training_latents.clone()
    # The last clip of step 2, which step 1 does not have: the second rank alone meets it.
    latents[clip_indices(1, 8, 4, 0)[3], 1] = float("nan")
    return Case(settings, bank, replace(bank, training_latents=latents), folder / "begun", folder / "taken over")


@pytest.fixture(scope="module")
def alone(case: Case) -> Outcome:
    """One rank; leaves a checkpoint of the half for two."""
    begin(case, case.taken_over, ALONE)
    return Outcome(*take_steps(case, ALONE), [], [], "")


@pytest.fixture(scope="module")
def two(case: Case, alone: Outcome) -> list[Outcome]:
    return together(train_in_all_ways, case)


def train_in_all_ways(ranks: Ranks, case: Case) -> Outcome:
    steps, state = take_steps(case, ranks)
    whole = begin(case, case.begun, ranks)
    resumed = list(train(case.recipe, case.bank, perceptual=None, device=CPU, folder=case.taken_over, ranks=ranks))
    with pytest.raises(NonFiniteError) as stopped:
        list(train(case.recipe, case.damaged, perceptual=None, device=CPU, ranks=ranks))
    return Outcome(steps, state, whole, resumed, str(stopped.value))


def take_steps(case: Case, ranks: Ranks) -> tuple[list[Step], dict[str, Any]]:
    state = start_state(case.recipe, CPU, ranks)
    stepping = start_stepping(state, case.recipe, case.bank, None, CPU, Captures())
    steps = []
    for step in range(STEPS):
        stepping.take(probe=step % 2 == 1)
        steps.append(stepping.read())
    return steps, state.state_dict()


def begin(case: Case, folder: Path, ranks: Ranks) -> list[Measurement]:
    """Train until the checkpoint of the half is there, and go away one step later."""
    steps = train(case.recipe, case.bank, perceptual=None, device=CPU, folder=folder, ranks=ranks)
    measured = list(islice(steps, HALF + 1))
    steps.close()
    return measured


def numbers(step: Step) -> dict[str, float]:
    assert step.critic_loss is not None
    # Counts of values on one side of a bound: a few of 180,000 lie so near to it that rounding decides.
    counts = ("adam/starved_share", "weights/below_precision", "weights/identical_share", "output/saturated_share")
    probes = {name: value for name, value in step.probes.items() if name not in counts}
    return {
        **step.losses,
        **probes,
        "total": step.total,
        "norm": step.gradient_norm,
        "critic": step.critic_loss.item(),
        "rate": step.learning_rate,
    }


def assert_close(ours: Measurement, theirs: Step) -> None:
    expected = {f"loss/{name}": value for name, value in theirs.losses.items()}
    expected |= {"loss/total": theirs.total, "gradient/norm": theirs.gradient_norm}
    assert {name: ours.values[name] for name in expected} == pytest.approx(expected, rel=OF_NUMBERS)


def test_two_halves_take_the_steps_of_the_whole(alone: Outcome, two: list[Outcome]) -> None:
    for ours, theirs in zip(two[0].steps, alone.steps, strict=True):
        assert numbers(ours) == pytest.approx(numbers(theirs), rel=OF_NUMBERS, abs=1e-6)
    for part in ("model", "average", "seraena"):
        torch.testing.assert_close(two[0].state[part], alone.state[part], rtol=OF_WEIGHTS, atol=OF_WEIGHTS)


def test_both_ranks_hold_the_same_bits(two: list[Outcome]) -> None:
    """Weights, average, critic with its statistics, both optimizers, ring."""
    first, second = (replace(outcome).state for outcome in two)
    tallies = [state.pop("tally")["clipped"] for state in (first, second)]
    torch.testing.assert_close(first, second, rtol=0, atol=0)
    assert tallies[0] == tallies[1]
    assert [numbers(step) for step in two[0].steps] == [numbers(step) for step in two[1].steps]


def test_the_first_rank_alone_evaluates_and_writes(case: Case, two: list[Outcome]) -> None:
    first, second = ({m.step: m.scores is not None for m in outcome.whole} for outcome in two)
    assert first == {step: step == HALF for step in range(1, HALF + 2)}
    assert second == dict.fromkeys(first, False)
    assert sorted(path.name for path in case.begun.rglob("*")) == ["checkpoint", WEIGHTS.name, TRAINING.name]


def test_two_ranks_go_on_from_the_checkpoint_of_one(alone: Outcome, two: list[Outcome]) -> None:
    resumed = two[0].resumed
    assert [measurement.step for measurement in resumed] == list(range(HALF + 1, STEPS + 1))
    for ours, theirs in zip(resumed, alone.steps[HALF:], strict=True):
        assert_close(ours, theirs)


def test_one_rank_goes_on_from_the_checkpoint_of_two(case: Case, alone: Outcome, two: list[Outcome]) -> None:
    assert len(two[0].whole) == HALF + 1  # they have left it
    resumed = list(train(case.recipe, case.bank, perceptual=None, device=CPU, folder=case.begun))
    assert [measurement.step for measurement in resumed] == list(range(HALF + 1, STEPS + 1))
    for ours, theirs in zip(resumed, alone.steps[HALF:], strict=True):
        assert_close(ours, theirs)


def test_a_nan_on_one_rank_stops_both_at_its_step(two: list[Outcome]) -> None:
    assert two[0].stopped == two[1].stopped
    assert two[0].stopped.startswith("losses and gradient must be finite, but at step 2 encoder = nan")


def resume_apart(ranks: Ranks, case: Case, begun: Path, fresh: Path) -> str:
    folder = begun if ranks.first else fresh
    with pytest.raises(ValueError) as refused:
        train(case.recipe, case.bank, perceptual=None, device=CPU, folder=folder, ranks=ranks)
    return str(refused.value)


def test_ranks_that_see_different_checkpoints_are_refused(case: Case, tmp_path: Path) -> None:
    begun, fresh = tmp_path / "begun", tmp_path / "fresh"
    begin(case, begun, ALONE)
    wanted = [f"one checkpoint, but in {path} they find those of the steps [{HALF}, 0]; put" for path in (begun, fresh)]
    said = together(resume_apart, case, begun, fresh)
    assert [part in text for part, text in zip(wanted, said, strict=True)] == [True, True]


@pytest.mark.parametrize("frames", [1, 5, 36])
def test_the_perceptual_losses_of_two_halves_make_that_of_the_whole(
    recipe: Callable[..., Recipe], larger_bank: Bank, lpips: Perceptual, frames: int
) -> None:
    """Of one frame the other half has none, and its loss is 0 with a gradient of zeros."""
    settings = recipe("data.crop_px=32", "training.batch_size=4", f"losses.perceptual_frames={frames}")
    values, gradients = [], []
    for ranks in (ALONE, Ranks(0, 2, 2), Ranks(1, 2, 2)):
        batch = take_batch(larger_bank, 0, settings, CPU, ranks)
        output = (0.5 * batch.video).requires_grad_()
        loss = compare_frames(lpips, output, batch, describe_targets(lpips, batch))
        values.append(loss.item())
        gradients += torch.autograd.grad(loss, output)
    whole, *halves = values
    assert sum(halves) / 2 == pytest.approx(whole, rel=1e-6)
    torch.testing.assert_close(torch.cat(gradients[1:]) / 2, gradients[0], rtol=1e-4, atol=1e-7)
