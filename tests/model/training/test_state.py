import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.network.weights import save_weights
from model.recipe import Recipe
from model.training.batches import Batch
from model.training.state import Tally, start_state
from model.training.step import take_step

CPU = torch.device("cpu")


def test_equal_seeds_start_equal_and_others_do_not(recipe: Callable[..., Recipe]) -> None:
    first, second, other = (start_state(recipe(f"training.seed={seed}"), CPU) for seed in (1, 1, 2))
    torch.testing.assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)
    assert not torch.equal(first.model.encoder[0].weight, other.model.encoder[0].weight)
    assert not torch.equal(first.seraena.critic.proj[0].weight, other.seraena.critic.proj[0].weight)


def test_starting_leaves_the_global_random_state_alone(recipe: Callable[..., Recipe]) -> None:
    before = torch.get_rng_state()
    start_state(recipe(), CPU)
    assert torch.equal(torch.get_rng_state(), before)


def test_training_starts_from_given_weights(recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    trained = start_state(recipe("training.seed=5"), CPU).model
    save_weights(trained.state_dict(), tmp_path / "start.safetensors", {})
    state = start_state(recipe(f"network.weights={tmp_path / 'start.safetensors'}"), CPU)
    for model in (state.model, state.average):
        torch.testing.assert_close(dict(model.state_dict()), dict(trained.state_dict()), rtol=0, atol=0)


def test_weights_that_do_not_fit_are_refused(recipe: Callable[..., Recipe], tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_weights({"encoder.0.weight": torch.zeros(1)}, path, {})
    with pytest.raises(ValueError):
        start_state(recipe(f"network.weights={path}"), CPU)


def test_a_loaded_state_takes_the_same_next_step(recipe: Callable[..., Recipe], batch: Batch) -> None:
    settings = recipe()
    state = start_state(settings, CPU)
    take_step(state, batch, settings, None, probe=False)
    state.tally.add(seconds=0.5)
    state.tally.clipped += 1
    twin = start_state(recipe("training.seed=9"), CPU)
    twin.load_state_dict(copy.deepcopy(state.state_dict()))
    assert twin.tally == Tally(steps=1, clipped=1, seconds=0.5)
    for each in (state, twin):
        take_step(each, batch, settings, None, probe=False)
    torch.testing.assert_close(twin.state_dict(), state.state_dict(), rtol=0, atol=0)


def test_a_resumed_average_is_compared_with_the_start_of_the_training(
    recipe: Callable[..., Recipe], batch: Batch
) -> None:
    settings = recipe()
    state = start_state(settings, CPU)
    for _ in range(2):
        take_step(state, batch, settings, None, probe=False)
    twin = start_state(settings, CPU)
    twin.load_state_dict(copy.deepcopy(state.state_dict()))
    changes = [take_step(each, batch, settings, None, probe=True).probes["average/change"] for each in (state, twin)]
    assert changes[0] == changes[1] > 0


def test_a_state_becomes_another_in_place(recipe: Callable[..., Recipe], batch: Batch) -> None:
    """Of a state that took steps, into a fresh one and one in the middle of its own training."""
    settings = recipe()
    ours, fresh, expected = (start_state(one, CPU) for one in (settings, *[recipe("training.seed=9")] * 2))
    take_step(ours, batch, settings, None, probe=False)
    addresses = [parameter.data_ptr() for parameter in ours.model.parameters()]
    ours.become(fresh)
    assert addresses == [parameter.data_ptr() for parameter in ours.model.parameters()]
    for _ in range(2):
        for state in (ours, expected):
            take_step(state, batch, settings, None, probe=False)
        torch.testing.assert_close(ours.state_dict(), expected.state_dict(), rtol=0, atol=0)
    later = start_state(settings, CPU)
    later.load_state_dict(copy.deepcopy(expected.state_dict()))
    ours.become(later)
    for state in (ours, expected):
        take_step(state, batch, settings, None, probe=True)
    torch.testing.assert_close(ours.state_dict(), expected.state_dict(), rtol=0, atol=0)
