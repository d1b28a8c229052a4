"""python -m benchmarks.tracking: what the record costs per trial."""

import os
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
    import torch
    from rich.table import Table

    from model.evaluation.perceptual import Perceptual
    from model.training.measurement import Measurement
    from search.preparation import Preparation
    from search.settings import Settings

#: Trials that are recorded; each cost is the mean over them. The first also pays for what MLflow loads at its first use.
TRIALS = 3

#: The parts of a trial's record, and whether no training can go on beside them where there is one worker.
PARTS = {
    "start the run": True,
    "write measurements": False,
    "write evaluations": False,
    "write results": True,
    "copy the checkpoint": True,
    "close the run": True,
}


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
