"""Small real trainings: the command's own path from preflight to diagnosis, on the demo's photographs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from search.settings import load_settings
from search.train import train_once
from tests.commands import ROOT
from tests.sabotage.faults import Fault
from tracking.query import find_runs, read_json
from tracking.store import open_store

#: The cpu profile with fewer clips and steps; probes often enough for a run of seconds.
SMALL = (
    "data.training_clips=64",
    "data.validation_clips=8",
    "data.workers=1",
    "losses.perceptual=0",
    "losses.replay_mib=4",
    "optimizer.learning_rate=2e-3",
    "schedule.kind=constant_with_warmup",
    "training.steps=60",
    "training.evaluate_every=60",
    "training.checkpoint_every=60",
    "training.log_every=2",
    "training.probe_every=10",
    "evaluation.bootstrap_resamples=100",
    "evaluation.pictures=1",
)


@dataclass(frozen=True)
class Outcome:
    """What the diagnosis of a run says: its findings, the first first, consequences below them."""

    verdict: str
    findings: tuple[dict[str, Any], ...]
    failure: str | None
    psnr: float

    @property
    def first(self) -> str:
        """Code of the first finding."""
        return self.findings[0]["code"] if self.findings else "none"

    def errors(self) -> list[str]:
        """Codes of findings that are errors."""
        return [finding["code"] for finding in self.findings if finding["severity"] == "error"]


def train_and_diagnose(changes: tuple[str, ...], root: Path) -> Outcome:
    """Train as `python -m search.train --force` does, and read the diagnosis from the record."""
    settings = load_settings(ROOT / "conf.toml", "cpu", [*SMALL, f"tracking.root={root}", *changes])
    with (root.parent / "output.txt").open("w", encoding="utf-8") as output:
        train_once(settings, Console(file=output, width=200), force=True)
    store = open_store(settings.tracking)
    (row,) = find_runs(store, role="train")
    found = read_json(store, row.id, "diagnosis.json")
    return Outcome(found["verdict"], tuple(found["findings"]), found["failure"], row.metrics["val/psnr"])


def sabotage(fault: Fault, folder: Path, cache: Path) -> Outcome:
    """Plant a fault, train, take it out again."""
    changes = [setting.replace("FOLDER", str(folder)) for setting in fault.settings]
    with pytest.MonkeyPatch.context() as patch:
        fault.plant(patch, folder)
        own = folder / "cache" if fault.own_bank else cache
        return train_and_diagnose((*changes, f"data.cache_dir={own}"), folder / "mlruns")


#: Settings of runs that nothing is wrong with.
HEALTHY = tuple(
    (f"training.seed={seed}", f"schedule.kind={kind}", f"optimizer.learning_rate={rate}", *more)
    for seed, (kind, rate, *more) in enumerate(
        (
            ("constant", 2e-3),
            ("constant_with_warmup", 3e-3),
            ("linear", 3e-3),
            ("cosine", 3e-3),
            ("cosine_with_restarts", 3e-3),
            ("polynomial", 4e-3),
            ("constant", 1e-3, "losses.encoder=0.1", "losses.decoder=0.1", "losses.reconstruction=10"),
            ("constant", 2e-3, "losses.seraena=0.01"),
            ("cosine", 4e-3, "optimizer.max_gradient_norm=0", "training.batch_size=4"),
            ("constant_with_warmup", 2e-3, "losses.seraena=0", "network.initialisation=torch"),
        )
    )
)

#: A healthy run is long enough to show a picture.
HEALTHY_STEPS = ("training.steps=100", "training.evaluate_every=100", "training.checkpoint_every=100")
