"""What both records of a study hold, and every way in which that may be wrong."""

import sqlite3
from collections import Counter
from pathlib import Path

import optuna
from mlflow import MlflowClient
from optuna.trial import FrozenTrial, TrialState

from search.reconcile import STATUS
from search.study import RUN_ID

#: Of every complete trial; pictures besides, and the checkpoint where as many are kept as there are trials.
ARTIFACTS = (
    "conf.toml",
    "evaluation.json",
    "diagnosis.md",
    "diagnosis.zh.md",
    "diagnosis.json",
    "summary.html",
    "preflight.json",
    "provenance/versions.json",
    "provenance/data_manifest.json",
    "checkpoint/model.safetensors",
    "checkpoint/training.pt",
)


def trials_of(root: Path) -> list[FrozenTrial]:
    """The trials of a record's only study; none where it was killed before there was one."""
    url = f"sqlite:///{root / 'optuna.db'}"
    names = optuna.get_all_study_names(url)
    return optuna.load_study(study_name=names[0], storage=url).trials if names else []


def wrongs(root: Path, target: int) -> list[str]:
    """Everything that is wrong with the record of a study that has ended with `target` finished trials."""
    trials = trials_of(root)
    finished = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    client = MlflowClient(f"sqlite:///{root / 'mlflow.db'}")
    runs = {run.info.run_id: run for run in client.search_runs([client.get_experiment_by_name("taehv").experiment_id])}
    found = [f"{name}: {text}" for name in ("optuna.db", "mlflow.db") for text in damage(root / name)]
    if len(finished) != target:
        found.append(f"{len(finished)} finished trials for {target}")
    twice = Counter(str(sorted(trial.params.items())) for trial in finished)
    found += [f"finished {times} times: {params}" for params, times in twice.items() if times > 1]
    found += [f"trial {trial.number} is RUNNING" for trial in trials if trial.state == TrialState.RUNNING]
    found += [f"run {run.info.run_name} is RUNNING" for run in runs.values() if run.info.status == "RUNNING"]
    known = Counter(trial.user_attrs[RUN_ID] for trial in trials if RUN_ID in trial.user_attrs)
    found += [f"{times} trials have run {run_id}" for run_id, times in known.items() if times > 1]
    for run in runs.values():
        if run.data.tags["role"] == "trial" and run.info.run_id not in known and run.info.status != "FAILED":
            found.append(f"run {run.info.run_name} of no trial is {run.info.status}")
    for trial in trials:
        if trial.state in STATUS and RUN_ID in trial.user_attrs:
            run = runs[trial.user_attrs[RUN_ID]]
            if run.info.status != STATUS[trial.state]:
                found.append(f"trial {trial.number} is {trial.state.name}, its run {run.info.status}")
    for trial in finished:
        folder = Path(runs[trial.user_attrs[RUN_ID]].info.artifact_uri.removeprefix("file://"))
        missing = [name for name in ARTIFACTS if not (folder / name).is_file()]
        found += [f"trial {trial.number} lacks {name}" for name in missing]
        if not list((folder / "images").glob("*.png")):
            found.append(f"trial {trial.number} has no picture")
    return found + [f"files of a training are left: {path.name}" for path in (root / "running").iterdir()]


def damage(database: Path) -> list[str]:
    """What SQLite finds wrong with a database."""
    connection = sqlite3.connect(database)
    try:
        rows = connection.execute("PRAGMA integrity_check").fetchall()
    finally:
        connection.close()
    return [text for (text,) in rows if text != "ok"]
