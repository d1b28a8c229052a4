"""python -m benchmarks.tracking: what the record costs per trial."""

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.clock import Clock
from benchmarks.inputs import find_perceptual
from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from benchmarks.sample import measurements, train_sample
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from rich.table import Table

    from model.evaluation.perceptual import Perceptual
    from model.training.measurement import Measurement
    from search.preparation import Preparation
    from search.settings import Settings

#: Trials of each kind; costs are means over them. One more before them pays for what MLflow loads at its first use.
TRIALS = 3

# The parts of a trial's record, as the table names them.
OPEN, BEGINNING = "open the run", "write parameters, settings, provenance"
VALUES, EVALUATIONS = "write values", "write values and picture of evaluations"
MEASURED, CONCLUSION = "write the evaluation and the last values", "diagnose, take over the checkpoint"
CLOSE = "close the run"
#: A worker waits for these between its trials; the rest is written while it trains (docs/decisions/0011-busy-workers.md).
BETWEEN_TRIALS = (MEASURED, OPEN)


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
    plain, full, prepared = train_sample(settings, perceptual, store, root / "sample")
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
        "times": {
            OPEN: 1,
            BEGINNING: 1,
            VALUES: len(script) - evaluations,
            EVALUATIONS: evaluations,
            MEASURED: 1,
            CONCLUSION: 1,
            CLOSE: 1,
        },
        "dropped": mean_ms(seconds[False]),
        "kept": mean_ms(seconds[True]),
        "checkpoint_mb": sum(file.stat().st_size for file in (root / "sample").rglob("*") if file.is_file()) / 1e6,
    }


def record_trial(
    prepared: "Preparation", settings: "Settings", script: "list[Measurement]", checkpoint: Path, *, keep: bool
) -> dict[str, float]:
    """Seconds of each part of one trial's record."""
    from search.record import open_training_record

    clock = Clock(prepared.device)
    with clock.part(OPEN):
        record = open_training_record(prepared, settings, name="trial", role="trial", parent=None, tags={})
    with clock.part(BEGINNING):
        record.write_beginning(prepared)
    shutil.copytree(checkpoint, record.folder, dirs_exist_ok=True)
    for measurement in script:
        with clock.part(VALUES if measurement.scores is None else EVALUATIONS):
            record.measure(measurement)
    with clock.part(MEASURED):
        record.write_measured()
    with clock.part(CONCLUSION):
        record.write_conclusion(keep_checkpoint=keep)
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
