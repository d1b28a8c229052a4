"""The step for the device alone against the eager one, on the CPU: its logic needs no graph."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from model.bank import Bank
from model.recipe import Recipe
from model.training.batches import clip_indices, draw, take_batch
from model.training.capture import open_feed_of, prepare_step, weighted_names
from model.training.device_step import DeviceStep
from model.training.drift import flatten
from model.training.state import TrainState, start_state
from model.training.step import NonFiniteError, Step, take_step

CPU = torch.device("cpu")


def prepare(settings: Recipe, bank: Bank) -> DeviceStep:
    step = prepare_step(settings, open_feed_of(bank, settings, CPU), None, weighted_names(settings))
    step()  # makes the moments of the optimizers
    step.state.become(start_state(settings, CPU))
    step.readings.restart()
    return step


def run(step: DeviceStep, bank: Bank, settings: Recipe, steps: int) -> list[Step]:
    """Take steps from the state's own on and read each."""
    measured = []
    for _ in range(steps):
        draws = draw(step.state.step, len(bank.training), 9, settings)
        rate = step.controls.set(step.state.step, draws.clips, draws, settings)
        step()
        step.state.step += 1
        measured.append(step.read(rate)[0])
    return measured


def run_eager(state: TrainState, bank: Bank, settings: Recipe, steps: int) -> list[Step]:
    return [
        take_step(state, take_batch(bank, state.step, settings, CPU), settings, None, probe=False) for _ in range(steps)
    ]


def assert_near(ours: DeviceStep, eager: TrainState) -> None:
    """Weights, average, critic and ring; the two sum in another order, so the last bits differ.

    Adam makes whole steps of that wherever a gradient is near 0, so that weights are compared as vectors: by the length of
    their difference over that of the way they went.
    """
    start = eager.drift.start
    for name in ("model", "average"):
        here, there = (flatten(getattr(state, name).parameters()) for state in (ours.state, eager))
        assert float((here - there).norm() / (there - start).norm()) < 1e-3
    torch.testing.assert_close(
        dict(ours.state.seraena.critic.state_dict()), dict(eager.seraena.critic.state_dict()), rtol=1e-4, atol=1e-5
    )
    rings = [state.seraena.ring.state_dict()["rows"] for state in (ours.state, eager)]
    torch.testing.assert_close(*rings, rtol=0, atol=1e-4)  # a fortieth of a grey level


@pytest.mark.parametrize(
    "changes",
    [
        (),
        ("optimizer.max_gradient_norm=0.01", "schedule.kind=linear", "training.average_share=1.0"),
        ("losses.seraena=0.0", "losses.encoder=0.0", "optimizer.max_gradient_norm=0.0"),
    ],
)
def test_it_takes_the_eager_step(recipe: Callable[..., Recipe], bank: Bank, changes: tuple[str, ...]) -> None:
    settings = recipe("training.steps=20", *changes)
    ours, eager = prepare(settings, bank), start_state(settings, CPU)
    for mine, reference in zip(run(ours, bank, settings, 5), run_eager(eager, bank, settings, 5), strict=True):
        assert set(mine.losses) == set(weighted_names(settings))
        assert mine.losses == pytest.approx({name: reference.losses[name] for name in mine.losses}, rel=1e-4)
        assert mine.total == pytest.approx(reference.total, rel=1e-4)
        assert mine.gradient_norm == pytest.approx(reference.gradient_norm, rel=1e-3)
        assert mine.learning_rate == reference.learning_rate
    if settings.losses.seraena:
        assert_near(ours, eager)


def test_in_bfloat16_the_weights_are_rounded_once_a_step(recipe: Callable[..., Recipe], bank: Bank) -> None:
    """Eager steps round each weight where it is used; after two steps the losses agree as well as bfloat16 can say."""
    settings = recipe("training.steps=20", "training.precision=bfloat16")
    ours, eager = prepare(settings, bank), start_state(settings, CPU)
    for mine, reference in zip(run(ours, bank, settings, 3), run_eager(eager, bank, settings, 3), strict=True):
        assert mine.losses == pytest.approx({name: reference.losses[name] for name in mine.losses}, rel=0.02)
        assert mine.gradient_norm == pytest.approx(reference.gradient_norm, rel=0.05)
    before = ours.state.weights[0].values.detach().clone()
    assert before.dtype == torch.float32
    run(ours, bank, settings, 1)
    assert ours.computed is not None
    assert torch.equal(ours.computed[0].values, before.bfloat16())
    assert not torch.equal(ours.state.weights[0].values, before)


def test_one_step_serves_trials_of_other_numbers(recipe: Callable[..., Recipe], bank: Bank) -> None:
    """Made for one trial, used for another of other weights, rates, schedule, seed and horizon."""
    made = recipe("training.steps=20", "optimizer.max_gradient_norm=0")
    used = recipe(
        "training.steps=30", "training.seed=4", "losses.encoder=3.0", "losses.reconstruction=0.2", "losses.seraena=1.5",
        "optimizer.learning_rate=0.002", "optimizer.max_gradient_norm=0.05", "schedule.kind=polynomial",
        "losses.critic_learning_rate=0.001", "training.average_share=0.5",
    )  # fmt: skip
    ours, eager = prepare(made, bank), start_state(used, CPU)
    run(ours, bank, made, 3)
    ours.state.become(start_state(used, CPU))
    ours.readings.restart()
    last, reference = run(ours, bank, used, 4)[-1], run_eager(eager, bank, used, 4)[-1]
    assert last.losses == pytest.approx({name: reference.losses[name] for name in last.losses}, rel=1e-3)
    assert_near(ours, eager)


def test_a_loss_of_weight_0_among_its_names_moves_nothing(recipe: Callable[..., Recipe], bank: Bank) -> None:
    made, used = recipe("training.steps=20"), recipe("training.steps=20", "losses.seraena=0.0")
    ours, eager = prepare(made, bank), start_state(used, CPU)
    run(ours, bank, used, 3)
    run_eager(eager, bank, used, 3)
    assert_near(ours, eager)


def test_it_counts_clipped_steps_since_the_last_reading(recipe: Callable[..., Recipe], bank: Bank) -> None:
    settings = recipe("optimizer.max_gradient_norm=0.001")
    ours = prepare(settings, bank)
    for _ in range(3):
        ours()
    assert ours.read(0.0)[1] == 3
    assert ours.read(0.0)[1] == 0


def test_a_nan_halts_everything_at_its_step_and_the_next_training_starts_anew(
    recipe: Callable[..., Recipe], bank: Bank
) -> None:
    settings = recipe("training.steps=20")
    latents = bank.training_latents.clone()
    latents[clip_indices(2, len(latents), 2, seed=0)[0], 1] = float("nan")
    broken = replace(bank, training_latents=latents)
    ours = prepare(settings, broken)
    run(ours, broken, settings, 2)
    before = {name: tensor.clone() for name, tensor in ours.state.model.state_dict().items()}
    average = {name: tensor.clone() for name, tensor in ours.state.average.state_dict().items()}
    critic = [weights.detach().clone() for weights in ours.state.seraena.critic.parameters()]
    for step in range(2, 6):  # without a reading between, as a captured step is run
        draws = draw(step, len(bank.training), 9, settings)
        ours.controls.set(step, draws.clips, draws, settings)
        ours()
    with pytest.raises(NonFiniteError, match=r"at step 3 encoder = nan, decoder = nan.* weights of step 2 are intact"):
        ours.read(0.0)
    torch.testing.assert_close(dict(ours.state.model.state_dict()), before, rtol=0, atol=0)
    torch.testing.assert_close(dict(ours.state.average.state_dict()), average, rtol=0, atol=0)
    torch.testing.assert_close([*ours.state.seraena.critic.parameters()], critic, rtol=0, atol=0)
    assert {int(ours.state.optimizer.state[part.values]["step"]) for part in ours.state.weights} == {2}

    ours.state.become(start_state(settings, CPU))
    ours.readings.restart()
    eager = start_state(settings, CPU)
    run(ours, broken, settings, 2)
    run_eager(eager, bank, settings, 2)
    assert_near(ours, eager)
