"""What a trial gives to the record, without the time that a trial takes."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.inputs import random_bank

if TYPE_CHECKING:
    from model.bank import Bank
    from model.evaluation.perceptual import Perceptual
    from model.recipe import Recipe
    from model.training.measurement import Measurement
    from search.preparation import Preparation
    from search.settings import Settings
    from tracking.store import Store

#: Steps and batch of the training that shows what is to be recorded.
SAMPLE_STEPS, SAMPLE_BATCH = 2, 2


def train_sample(
    settings: "Settings", perceptual: "Perceptual | None", store: "Store", folder: Path
) -> "tuple[Measurement, Measurement, Preparation]":
    """Train two steps on noise: a measurement of a plain step, one with probes and scores, a checkpoint in `folder`."""
    import torch

    from model.evaluation.yardsticks import measure_yardsticks
    from model.settings import change
    from model.training.loop import train
    from search.preparation import Preparation
    from search.settings import recipe_of

    every = {name: SAMPLE_STEPS for name in ("steps", "probe_every", "evaluate_every", "checkpoint_every")}
    of_training = {"batch_size": SAMPLE_BATCH, "log_every": 1, "device": "cpu", "precision": "float32"} | every
    weights = {} if perceptual else {"losses.perceptual": 0.0}
    recipe = change(recipe_of(settings), weights | {f"training.{name}": value for name, value in of_training.items()})
    device, bank = torch.device("cpu"), noise_bank(recipe)
    folder.mkdir()
    plain, full = train(recipe, bank, perceptual=perceptual, device=device, folder=folder)
    assert full.scores is not None, "the last step is evaluated"
    clips = full.scores.clips * settings.data.validation_clips
    full = replace(full, scores=replace(full.scores, clips=clips[: settings.data.validation_clips]))
    yardsticks = measure_yardsticks(bank, recipe.evaluation, perceptual, device)
    return plain, full, Preparation(store, bank, device, perceptual, yardsticks)


def noise_bank(recipe: "Recipe") -> "Bank":
    """A bank of noise with as many validation clips as the pictures of an evaluation show."""
    bank, count = random_bank(recipe), max(1, recipe.evaluation.pictures)
    return replace(
        bank,
        validation=bank.training[:1].repeat(count, 1, 1, 1, 1),
        validation_round_trip=bank.validation_round_trip.repeat(count, 1, 1, 1, 1),
        validation_names=tuple(f"noise {number}" for number in range(count)),
        facts={"manifest": []},
    )


def measurements(settings: "Settings", plain: "Measurement", full: "Measurement") -> "Iterator[Measurement]":
    """What a trial of these settings measures: the two samples, at the steps and with the metrics of a whole training."""
    from model.evaluation.scores import METRICS
    from model.training.loop import is_due

    training = settings.training
    probed = {name: value for name, value in full.values.items() if name not in METRICS}
    for step in range(1, training.steps + 1):
        probe, evaluate, log = (
            is_due(step, every, training.steps)
            for every in (training.probe_every, training.evaluate_every, training.log_every)
        )
        if evaluate:
            yield replace(full, step=step)
        elif probe:
            yield replace(plain, step=step, values=probed)
        elif log:
            yield replace(plain, step=step)
