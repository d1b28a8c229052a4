"""python -m tests.outage: a study by its command while the server that it records to is stopped for 20 s."""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.commands import ROOT, TINY, arguments, environment, settings_options
from tests.places import make_schemas
from tests.servers import MlflowServer, PostgreSQL

OUTAGE_S = 20
TRIALS, STEPS = 60, 4


def study_through_outage(server: MlflowServer | PostgreSQL, changes: list[str]) -> None:
    """Run the study's command, stop the server once the first trial is done, start it again after 20 s."""
    command = arguments("search.run", "--trials", str(TRIALS), *settings_options(*changes))
    study = subprocess.Popen(
        command, cwd=ROOT, env=environment(PYTHONUNBUFFERED="1"), stdout=subprocess.PIPE, text=True
    )
    assert study.stdout is not None
    begun = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - begun:5.1f} s  {line}", flush=True)

    def outage() -> None:
        server.stop()
        say(f"--- stopped for {OUTAGE_S} s")
        time.sleep(OUTAGE_S)
        server.start()
        say("--- started, answers")

    stopping: threading.Thread | None = None
    for line in study.stdout:
        if "answer" in line or "finished" in line or "delivered" in line:
            say(line.strip()[:150])
        if " done: " in line and stopping is None:
            stopping = threading.Thread(target=outage)
            stopping.start()
    assert stopping is not None, "no trial came to its end"
    stopping.join()
    say(f"exit code {study.wait()}")


def count(changes: list[str]) -> str:
    """Say what the record has of the study's trials; opening it delivers what still waits."""
    from search.settings import load_settings
    from tracking.query import find_runs, history
    from tracking.store import artifact_folder, open_store

    store = open_store(load_settings(ROOT / "conf.toml", "cpu", changes).tracking, print)
    rows = find_runs(store, role="trial")
    whole = [
        row for row in rows if [step for step, _ in history(store, row.id, "loss/total")] == [*range(1, STEPS + 1)]
    ]
    points = sum(len(store.client.get_metric_history(row.id, name)) for row in rows for name in row.metrics)
    distinct = sum(len(history(store, row.id, name)) for row in rows for name in row.metrics)
    finished = [row for row in rows if row.status == "FINISHED" and "diagnosis" in row.tags]
    evaluated = [row for row in rows if (artifact_folder(store, row.id) / "evaluation.json").exists()]
    return (
        f"{len(rows)} runs of {TRIALS} trials: {len(finished)} finished and diagnosed, {len(whole)} with every step of their "
        f"curves, {len(evaluated)} evaluated; {points} points, {points - distinct} of them twice"
    )


def through_mlflow_server(folder: Path) -> None:
    """Stop and start an MLflow server; Optuna's studies are in a file."""
    server = MlflowServer(folder)
    server.start()
    try:
        changes = [
            *TINY,
            f"tracking.root={folder}/mlruns",
            f"data.cache_dir={folder}/cache",
            f"tracking.uri={server.address}",
        ]
        study_through_outage(server, changes)
        print(count(changes))
    finally:
        server.stop()


def through_postgresql(folder: Path) -> None:
    """Stop and start the PostgreSQL that both databases are in."""
    folder.chmod(0o755)
    (folder / "cluster").mkdir()
    server = PostgreSQL(folder / "cluster")
    try:
        make_schemas(server)
        changes = [*TINY, f"tracking.root={folder}/mlruns", f"data.cache_dir={folder}/cache"]
        changes += [
            f"tracking.uri={server.address('mlflow_blank')}",
            f"search.storage={server.address('optuna_blank')}",
        ]
        study_through_outage(server, changes)
        print(count(changes))
    finally:
        server.stop()


def main() -> None:
    """Go through both outages."""
    if reason := PostgreSQL.missing():
        sys.exit(reason)
    for title, through in (("MLflow server", through_mlflow_server), ("PostgreSQL", through_postgresql)):
        print(f"=== {title}")
        with tempfile.TemporaryDirectory() as folder:
            through(Path(folder))


if __name__ == "__main__":
    main()
