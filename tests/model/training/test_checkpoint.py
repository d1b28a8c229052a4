import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from model.bank import Bank
from model.network.settings import NetworkSettings
from model.network.taehv import TAEHV
from model.network.weights import load_weights
from model.recipe import Recipe
from model.settings import identity
from model.training.batches import Batch
from model.training.checkpoint import TRAINING, WEIGHTS, resume, save
from model.training.state import TrainState, start_state
from model.training.step import take_step

CPU = torch.device("cpu")


@pytest.fixture
def trained(recipe: Callable[..., Recipe], batch: Batch) -> TrainState:
    state = start_state(recipe(), CPU)
    take_step(state, batch, recipe(), None, probe=False)
    return state


def test_the_weights_file_stands_alone(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    save(trained, recipe(), bank, tmp_path)
    with safe_open(tmp_path / "checkpoint" / "model.safetensors", "pt") as file:
        metadata = file.metadata()
    assert (metadata["step"], metadata["identity"]) == ("1", identity(recipe()))
    model = TAEHV(NetworkSettings.model_validate_json(metadata["network"]), seed=7)
    load_weights(model, tmp_path / "checkpoint" / "model.safetensors")
    torch.testing.assert_close(dict(model.state_dict()), dict(trained.average.state_dict()), rtol=0, atol=0)
    assert json.loads(metadata["network"])["width"] == recipe().network.width


def test_everything_comes_back_bit_for_bit_without_unpickling_code(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    save(trained, recipe(), bank, tmp_path)
    torch.load(tmp_path / "checkpoint" / "training.pt", weights_only=True)
    state = start_state(recipe(), CPU)
    resume(state, recipe(), bank, tmp_path)
    torch.testing.assert_close(state.state_dict(), trained.state_dict(), rtol=0, atol=0)


def test_nothing_but_the_two_files_is_left(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    for _ in range(2):
        save(trained, recipe(), bank, tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["checkpoint", "model.safetensors", "training.pt"]


def test_without_a_checkpoint_the_state_stays_fresh(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    state = start_state(recipe(), CPU)
    resume(state, recipe(), bank, tmp_path)
    assert state.step == 0
    # The weights alone are not trusted.
    save(trained, recipe(), bank, tmp_path)
    (tmp_path / TRAINING).unlink()
    resume(state, recipe(), bank, tmp_path)
    assert state.step == 0


@pytest.mark.parametrize(
    "change", ["losses.encoder=0.3", "training.steps=5", "training.seed=1", "schedule.kind=linear", "data.flip=false"]
)
def test_other_scientific_settings_are_refused(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path, change: str
) -> None:
    save(trained, recipe(), bank, tmp_path)
    with pytest.raises(ValueError, match=f"the identity it began with, .* has {identity(recipe())} and now it is"):
        resume(start_state(recipe(change), CPU), recipe(change), bank, tmp_path)


def test_settings_that_change_no_result_may_change(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    save(trained, recipe(), bank, tmp_path)
    changed = recipe("training.log_every=3", "training.checkpoint_every=1", "data.workers=2")
    state = start_state(changed, CPU)
    resume(state, changed, bank, tmp_path)
    assert state.step == 1


def test_settings_of_a_larger_class_count_by_their_recipe(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    class Study(Recipe):
        trials: int

    save(trained, Study(trials=50, **recipe().model_dump()), bank, tmp_path)
    resume(start_state(recipe(), CPU), Study(trials=60, **recipe().model_dump()), bank, tmp_path)


def test_other_data_are_refused(recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path) -> None:
    save(trained, recipe(), bank, tmp_path)
    with pytest.raises(ValueError, match=r"the data digest it began with, .* has 0123456789abcdef and now it is other"):
        resume(start_state(recipe(), CPU), recipe(), replace(bank, digest="other"), tmp_path)


@pytest.mark.parametrize("content", [b"", b"no checkpoint", None])
def test_a_damaged_file_is_named_with_the_remedy(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path, content: bytes | None
) -> None:
    save(trained, recipe(), bank, tmp_path)
    path = tmp_path / TRAINING
    path.write_bytes(path.read_bytes()[:5000] if content is None else content)
    with pytest.raises(OSError, match=r"training\.pt is not; remove it"):
        resume(start_state(recipe(), CPU), recipe(), bank, tmp_path)


def test_a_file_from_before_a_part_was_saved_is_named_with_the_remedy(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    save(trained, recipe(), bank, tmp_path)
    content = torch.load(tmp_path / TRAINING, weights_only=True)
    del content["state"]["drift"]
    torch.save(content, tmp_path / TRAINING)
    with pytest.raises(OSError, match=r"training\.pt of an older version lacks 'drift'; remove it"):
        resume(start_state(recipe(), CPU), recipe(), bank, tmp_path)


def test_a_failed_write_leaves_the_older_checkpoint_whole(
    recipe: Callable[..., Recipe], bank: Bank, batch: Batch, trained: TrainState, tmp_path: Path
) -> None:
    save(trained, recipe(), bank, tmp_path)
    before = (tmp_path / TRAINING).read_bytes()
    take_step(trained, batch, recipe(), None, probe=False)
    # A folder where the temporary file should go makes the second of the two files fail.
    (tmp_path / TRAINING).with_suffix(".tmp").mkdir()
    with pytest.raises(OSError):
        save(trained, recipe(), bank, tmp_path)
    with safe_open(tmp_path / WEIGHTS, "pt") as file:
        assert file.metadata()["step"] == "2"
    assert (tmp_path / TRAINING).read_bytes() == before


def test_the_last_checkpoint_leaves_out_what_only_a_next_step_would_draw_from(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    once = recipe("training.steps=1")
    save(trained, once, bank, tmp_path)
    assert len(torch.load(tmp_path / TRAINING, weights_only=True)["state"]["seraena"]["ring"]["rows"]) == 0
    state = start_state(once, CPU)
    resume(state, once, bank, tmp_path)
    assert state.step == 1
    for ours, theirs in zip(state.weights + state.averaged, trained.weights + trained.averaged, strict=True):
        assert torch.equal(ours.values, theirs.values)


def test_where_nothing_is_to_be_resumed_the_weights_are_kept_and_the_step(
    recipe: Callable[..., Recipe], bank: Bank, trained: TrainState, tmp_path: Path
) -> None:
    trial = recipe("training.checkpoint_every=0", "training.steps=1")
    save(trained, trial, bank, tmp_path)
    assert torch.load(tmp_path / TRAINING, weights_only=True)["state"] == {"step": 1}
    kept = TAEHV(trial.network, seed=7)
    load_weights(kept, tmp_path / WEIGHTS)
    torch.testing.assert_close(dict(kept.state_dict()), dict(trained.average.state_dict()), rtol=0, atol=0)
    state = start_state(trial, CPU)
    resume(state, trial, bank, tmp_path)
    assert state.step == 1
