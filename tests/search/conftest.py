"""What the tests of the study share: one empty record that is copied, one preparation, one finished study, tables of trials."""

import io
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState, create_trial
from rich.console import Console

from search.opening import OpenStudy, open_everything
from search.preparation import Preparation, prepare
from search.run import search
from search.settings import Settings, load_settings
from search.space import distributions
from search.study import BASELINE, METRICS, RUN_ID
from tests.commands import ROOT, TINY
from tests.search.disturbed import MakeStudy, Study
from tracking.run import move_checkpoint, start_run
from tracking.store import open_store

SettingsOf = Callable[..., Settings]


@pytest.fixture
def record(tmp_path: Path, blank_record: Path) -> Path:
    """The empty record at the place that `tiny` names."""
    root = tmp_path / "mlruns"
    shutil.copytree(blank_record, root)
    return root


@pytest.fixture(scope="session")
def prepared_once(tmp_path_factory: pytest.TempPathFactory, blank_record: Path, cache_dir: Path) -> Preparation:
    """What the trainings of tiny settings share."""
    root = tmp_path_factory.mktemp("prepared") / "mlruns"
    shutil.copytree(blank_record, root)
    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    return prepare(load_settings(ROOT / "conf.toml", "cpu", changes), lambda _line: None)


@pytest.fixture
def prepared(prepared_once: Preparation, tiny: SettingsOf, record: Path) -> Preparation:
    """The same with a record of the test's own."""
    return replace(prepared_once, store=open_store(tiny().tracking))


@pytest.fixture
def opened(tiny: SettingsOf, record: Path, prepared_once: Preparation) -> OpenStudy:
    """A study in both records that has its queued baselines and no trial yet."""
    settings = tiny()
    opened = open_everything(settings, lambda _line: None, 50)
    opened.queue_baselines(settings)
    return opened


@dataclass(frozen=True)
class Finished:
    """A study that came to its end in this process, and what it printed."""

    settings: Settings
    changes: list[str]
    root: Path
    out: str


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory: pytest.TempPathFactory, blank_record: Path, cache_dir: Path) -> Finished:
    """Three trials by `search.run`'s own function, two checkpoints kept; tests must leave it as it is."""
    root = tmp_path_factory.mktemp("finished") / "mlruns"
    shutil.copytree(blank_record, root)
    changes = [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
    changes += ["tracking.keep_checkpoints=2", "search.workers=1"]
    settings = load_settings(ROOT / "conf.toml", "cpu", changes)
    out = io.StringIO()
    search(settings, 3, Console(file=out, width=200, highlight=False))
    return Finished(settings, changes, root, out.getvalue())


@pytest.fixture
def add_trial(tiny: SettingsOf) -> Callable[..., int]:
    """Put a trial into a study as the coordinator leaves it; returns its number."""

    def add(
        study: optuna.Study,
        score: float | None,
        state: TrialState = TrialState.COMPLETE,
        run_id: str = "",
        baseline: str = "",
        **parameters: Any,
    ) -> int:
        space = distributions(tiny().search.space, perceptual=True)
        values: Mapping[str, Any] = dict.fromkeys(space, 0.1) | {"schedule": "cosine", "learning_rate": 1e-4}
        metrics = {} if score is None else {"score": score, "val/psnr": score / 2, "val/ssim": 0.5}
        number = len(study.trials)
        attributes = {METRICS: metrics, RUN_ID: run_id or f"run{number}"}
        study.add_trial(
            create_trial(
                state=state,
                value=score if state == TrialState.COMPLETE else None,
                params={**values, **parameters},
                distributions=space,
                user_attrs=attributes | ({BASELINE: baseline} if baseline else {}),
            )
        )
        return number

    return add


@pytest.fixture
def run_with_checkpoint(tmp_path: Path) -> Callable[[OpenStudy], str]:
    """Make a trial's run, still open, with its diagnosis and a checkpoint among its artifacts; returns its id."""

    def make(opened: OpenStudy) -> str:
        run = start_run(opened.prepared.store, "trial", "trial", opened.parent, {"diagnosis": "ok"})
        folder = tmp_path / f"files-{run.id}" / "checkpoint"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").write_bytes(os.urandom(16))
        move_checkpoint(opened.prepared.store, run.id, folder)
        run.text("conf.toml", "")
        return run.id

    return make


@pytest.fixture(scope="module")
def make_study(tmp_path_factory: pytest.TempPathFactory, blank_record: Path, cache_dir: Path) -> MakeStudy:
    def make(*changes: str) -> Study:
        root = tmp_path_factory.mktemp("study") / "mlruns"
        shutil.copytree(blank_record, root)
        places = [f"data.cache_dir={cache_dir}", f"tracking.root={root}"]
        settings = load_settings(ROOT / "conf.toml", "cpu", [*TINY, *places, *changes])
        opened = open_everything(settings, lambda _line: None, 50)
        opened.queue_baselines(settings)
        return Study(opened, settings)

    return make
