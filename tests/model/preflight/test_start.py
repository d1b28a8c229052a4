from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.network.taehv import TAEHV
from model.network.weights import save_weights
from model.preflight.start import check_start
from model.recipe import Recipe
from model.training.state import start_state

CPU = torch.device("cpu")


@pytest.fixture
def from_file(recipe: Callable[..., Recipe], tmp_path: Path) -> Recipe:
    """A recipe that starts from the weights of another seed."""
    path = tmp_path / "start.safetensors"
    save_weights(TAEHV(recipe().network, seed=7).state_dict(), path, {})
    return recipe(f"network.weights={path}")


def test_from_scratch_there_is_nothing_to_compare(recipe: Callable[..., Recipe]) -> None:
    assert check_start(start_state(recipe(), CPU), recipe()) is None


def test_loaded_weights_are_those_of_the_file(from_file: Recipe) -> None:
    found = check_start(start_state(from_file, CPU), from_file)
    assert found is not None
    assert (found.file, found.difference, found.differing_tensors) == (from_file.network.weights, 0, 0)
    assert found.tensors == len(TAEHV(from_file.network).state_dict())


def test_a_start_that_skips_the_file_differs_as_unrelated_weights_do(
    from_file: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model.training.state.load_weights", lambda _model, _path: None)
    found = check_start(start_state(from_file, CPU), from_file)
    assert found is not None
    assert found.difference == pytest.approx(2**0.5, rel=0.1)
    assert found.differing_tensors > found.tensors / 2


def test_one_changed_tensor_is_counted(from_file: Recipe) -> None:
    state = start_state(from_file, CPU)
    with torch.no_grad():
        state.model.encoder[0].weight[0, 0, 0, 0] += 0.25
    found = check_start(state, from_file)
    assert found is not None
    norm = sum(tensor.double().square().sum() for tensor in TAEHV(from_file.network, seed=7).state_dict().values())
    assert found.differing_tensors == 1
    assert found.difference == pytest.approx(0.25 / float(norm) ** 0.5, rel=1e-5)


def test_a_tensor_that_the_file_lacks_counts(from_file: Recipe) -> None:
    state = start_state(from_file, CPU)
    stored = TAEHV(from_file.network, seed=7).state_dict()
    del stored["encoder.0.weight"]
    save_weights(stored, Path(from_file.network.weights), {})
    found = check_start(state, from_file)
    assert found is not None
    assert found.differing_tensors == 1
    assert found.difference > 0
