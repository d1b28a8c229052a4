"""python -m benchmarks.tracking: what the record costs per trial."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.clock import Clock
from benchmarks.inputs import find_perceptual, random_bank
from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from rich.table import Table

    from model.bank import Bank
    from model.evaluation.perceptual import Perceptual
    from model.recipe import Recipe
    from model.training.measurement import Measurement
    from search.preparation import Preparation
    from search.settings import Settings
    from tracking.store import Store

#: Trials of each kind; costs are means over them. One more before them pays for what MLflow loads at its first use.
TRIALS = 3
#: Steps and batch of the training that shows what is to be recorded.
SAMPLE_STEPS, SAMPLE_BATCH = 2, 2

# The parts of a trial's record, as the table names them.
START, VALUES, EVALUATIONS = "start the run", "write values", "write values and picture of evaluations"
RESULTS, CLOSE = "write results", "close the run"
#: With one worker nothing trains beside these.
BETWEEN_TRIALS = (START, RESULTS, CLOSE)


def main(
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Record trials of the settings' length in a new MLflow record and time each part.

    The values are made up; their names, the pictures and the checkpoint are those of a real training of two steps.

    Example: python -m benchmarks.tracking --profile cpu --set training.log_every=1
    """
    import torch

    from search.settings import load_settings

    console, device = make_console(), torch.device("cpu")
    settings = load_settings(config, resolve_profile(profile, speaker(console)), set_ or ())
    perceptual, _ = find_perceptual(settings, device, speaker(console))
    with tempfile.TemporaryDirectory() as folder:
        result = measure_record(settings, perceptual, Path(folder))
    machine = describe_machine(device, ("mlflow", "sqlalchemy"))
    console.print(to_table(machine, result))
    write_result(out, machine, result)


def measure_record(settings: "Settings", perceptual: "Perceptual | None", root: Path) -> dict[str, Any]:
    """Record trials whose checkpoint is dropped and trials whose checkpoint is kept, in a new record below `root`.

    Returns:
        "open_s": seconds to make the record, once in its life; "times": how often a trial does each part; "dropped" and
        "kept": milliseconds of each part in sum per trial; "checkpoint_mb".
    """
    import torch

    from model.settings import change

    settings = change(settings, {"tracking.root": str(root / "mlruns")})
    clock = Clock(torch.device("cpu"))
    with clock.part("open"):
        from tracking.store import open_store

        store = open_store(settings.tracking)
    plain, full, prepared = sample(settings, perceptual, store, root / "sample")
    script = list(measurements(settings, plain, full))
    record_trial(prepared, settings, script, root / "sample", keep=False)
    seconds: dict[bool, list[dict[str, float]]] = {False: [], True: []}
    for _ in range(TRIALS):
        for keep, trials in seconds.items():
            trials.append(record_trial(prepared, settings, script, root / "sample", keep=keep))
    evaluations = sum(measurement.scores is not None for measurement in script)
    return {
        "open_s": clock.seconds["open"],
        "trials": TRIALS,
        "metrics_of_a_measurement": len(plain.values),
        "times": {START: 1, VALUES: len(script) - evaluations, EVALUATIONS: evaluations, RESULTS: 1, CLOSE: 1},
        "dropped": mean_ms(seconds[False]),
        "kept": mean_ms(seconds[True]),
        "checkpoint_mb": sum(file.stat().st_size for file in (root / "sample").rglob("*") if file.is_file()) / 1e6,
    }


def sample(
    settings: "Settings", perceptual: "Perceptual | None", store: "Store", folder: Path
) -> "tuple[Measurement, Measurement, Preparation]":
    """Train two steps on noise: a measurement of a plain step, one with probes and scores, a checkpoint in `folder`.

    The training state of the checkpoint is made as large as after a whole trial, when the critic's replay ring is full.
    """
    import torch

    from model.evaluation.yardsticks import measure_yardsticks
    from model.settings import change
    from model.training.checkpoint import TRAINING
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
    with (folder / TRAINING).open("ab") as file:
        file.write(os.urandom(settings.losses.replay_mib * 2**20))
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


def record_trial(
    prepared: "Preparation", settings: "Settings", script: "list[Measurement]", checkpoint: Path, *, keep: bool
) -> dict[str, float]:
    """Seconds of each part of one trial's record."""
    from search.record import start_training_record

    clock = Clock(prepared.device)
    with clock.part(START):
        record = start_training_record(prepared, settings, name="trial", role="trial", parent=None, tags={})
    shutil.copytree(checkpoint, record.folder, dirs_exist_ok=True)
    for measurement in script:
        with clock.part(VALUES if measurement.scores is None else EVALUATIONS):
            record.measure(measurement)
    with clock.part(RESULTS):
        record.write_results(keep_checkpoint=keep)
    with clock.part(CLOSE):
        record.close("FINISHED")
    return clock.seconds


def mean_ms(trials: list[dict[str, float]]) -> dict[str, float]:
    """Milliseconds of each part, the mean over trials."""
    return {name: 1000 * sum(trial[name] for trial in trials) / len(trials) for name in trials[0]}


def to_table(machine: dict[str, Any], result: dict[str, Any]) -> "Table":
    """The numbers for people."""
    title = (
        f"{name_machine(machine)}, mlflow {machine['mlflow']}; means of {result['trials']} trials, "
        f"{result['metrics_of_a_measurement']} metrics a measurement, checkpoint {result['checkpoint_mb']:.0f} MB; "
        f"making the record {result['open_s']:.1f} s"
    )
    table = make_table(title, "part", "times", "ms each", "ms a trial", "with checkpoint kept")
    dropped, kept = result["dropped"], result["kept"]
    for name, times in result["times"].items():
        table.add_row(name, str(times), f"{dropped[name] / times:.1f}", f"{dropped[name]:.0f}", f"{kept[name]:.0f}")
    for name, parts in (("all", result["times"]), ("between two trials", BETWEEN_TRIALS)):
        sums = [f"{sum(costs[part] for part in parts):.0f}" for costs in (dropped, kept)]
        table.add_row(name, "", "", *sums)
    return table


if __name__ == "__main__":
    run(main)
