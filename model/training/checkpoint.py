"""Checkpoints: weights for others to load, and everything that resuming needs."""

import json
import os
import pickle
from pathlib import Path
from typing import Any

import torch

from model.bank import Bank
from model.network.weights import save_weights
from model.recipe import Recipe
from model.settings import build, identity
from model.training.state import TrainState

WEIGHTS = Path("checkpoint", "model.safetensors")
TRAINING = Path("checkpoint", "training.pt")


def save(state: TrainState, recipe: Recipe, bank: Bank, folder: Path) -> None:
    """Write checkpoint/model.safetensors (averaged weights) and checkpoint/training.pt (everything) in a run's folder.

    Each is written under a temporary name and renamed, training.pt last: resuming trusts it alone. A process killed
    between the two repeats the steps since the older training.pt and writes both again; in the other order a finished
    run could keep the weights of an earlier step.

    Raises:
        OSError: the folder cannot be written.
    """
    (folder / TRAINING).parent.mkdir(parents=True, exist_ok=True)
    run = name_run(recipe, bank)
    network = json.dumps(recipe.network.model_dump(mode="json"))
    metadata = {"network": network, "step": str(state.step), "identity": run["identity"]}
    save_weights(state.average.state_dict(), folder / WEIGHTS, metadata)
    write_training({"run": run, "state": resumable(state, recipe)}, folder / TRAINING)


def resumable(state: TrainState, recipe: Recipe) -> dict[str, Any]:
    """What a training.pt holds of a state: all that the steps to come need, but of a finished trial its step alone."""
    if recipe.training.checkpoint_every == 0:
        return {"step": state.step}
    content = state.state_dict()
    if state.step == recipe.training.steps:
        # Half of the file, and no step follows that would draw from it.
        content["seraena"]["ring"]["rows"] = content["seraena"]["ring"]["rows"][:0].clone()
    return content


def write_training(content: dict[str, Any], path: Path) -> None:
    """Replace a file of tensors by another, so that at every moment one of the two is there and whole."""
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        torch.save(content, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def has_checkpoint(folder: Path) -> bool:
    """Whether a run's folder holds a training.pt to go on from."""
    return (folder / TRAINING).exists()


def resume(state: TrainState, recipe: Recipe, bank: Bank, folder: Path) -> None:
    """Bring a fresh state to where the folder's training.pt stands; without that file it stays fresh.

    Raises:
        ValueError: the file belongs to a run of other scientific settings or of another bank.
        OSError: the file is there, but is not a checkpoint.
    """
    if not has_checkpoint(folder):
        return
    path = folder / TRAINING
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
        found, saved = content["run"], content["state"]
    except (RuntimeError, OSError, EOFError, pickle.UnpicklingError, KeyError, TypeError) as error:
        raise OSError(f"a checkpoint must be readable, but {path} is not; remove it to start this run again") from error
    for name, wanted in name_run(recipe, bank).items():
        if found[name] != wanted:
            raise ValueError(
                f"a run must be resumed with the {name} it began with, but {path} has {found[name]} and now it is "
                f"{wanted}; take the run's own conf.toml and data, or another folder"
            )
    if saved.keys() == {"step"}:
        state.step = saved["step"]
        return
    try:
        state.load_state_dict(saved)
    except KeyError as error:
        raise OSError(
            f"a checkpoint must hold all that a training is, but {path} of an older version lacks {error}; remove it to "
            "start this run again"
        ) from error


def name_run(recipe: Recipe, bank: Bank) -> dict[str, str]:
    """Say what must be equal for a resumed run to be the same run.

    Settings of a larger class (a study's, say) count by their recipe alone.
    """
    return {"identity": identity(build(Recipe, recipe.model_dump(mode="json"))), "data digest": bank.digest}
