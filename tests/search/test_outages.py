"""Studies whose server or database is really stopped and started: their trials end as those of a study that nobody disturbed."""

import io
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import optuna
import pytest
from mlflow import MlflowClient
from optuna.trial import TrialState
from rich.console import Console

import search.progress
from model.settings import change
from search.run import search as run_study
from search.settings import Settings, load_settings
from search.storage import open_storage
from search.study import RUN_ID
from tests.commands import ROOT
from tests.places import Place, at
from tests.results import result_of
from tests.servers import MlflowServer, PostgreSQL
from tracking.failure import RecordError
from tracking.query import find_runs
from tracking.run import reopen_run
from tracking.store import Store, artifact_folder, open_store

TRIALS = 3
Server = MlflowServer | PostgreSQL


@pytest.fixture
def server(request: pytest.FixtureRequest, place: Place) -> Server:
    """What the place of the test is served by."""
    return request.getfixturevalue("mlflow_server" if place.kind == "server" else "postgresql")


@pytest.fixture
def settings(finished_study, blank_record: Path, tmp_path: Path, place: Place) -> Settings:
    """Those of the study that nobody disturbed, with a record elsewhere."""
    root = tmp_path / "mlruns"
    shutil.copytree(blank_record, root)
    return load_settings(ROOT / "conf.toml", "cpu", [*finished_study.changes, f"tracking.root={root}", *place.changes])


def study_with(settings: Settings, at_step: Callable[[int, int, io.StringIO], None]) -> str:
    """Run the study and call `at_step` with each step of each trial; returns what was printed."""
    out = io.StringIO()

    class Watched(search.progress.TrialProgress):
        def begin(self, number: int, slot: int) -> None:
            super().begin(number, slot)
            at_step(number, 0, out)

        def step(self, number: int, step: int) -> None:
            super().step(number, step)
            at_step(number, step, out)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search.progress, "TrialProgress", Watched)
        run_study(settings, TRIALS, Console(file=out, width=200, highlight=False))
    return out.getvalue()


def run_ids(settings: Settings) -> list[str]:
    """The trials' runs as Optuna names them; all trials are complete."""
    storage = open_storage(Path(settings.tracking.root), settings.search.storage, print)
    (name,) = optuna.get_all_study_names(storage)
    trials = optuna.load_study(study_name=name, storage=storage).get_trials()
    assert [trial.state for trial in trials] == [TrialState.COMPLETE] * TRIALS
    return [trial.user_attrs[RUN_ID] for trial in trials]


def require_nothing_lost(settings: Settings, finished_study) -> Store:
    """Each trial has one run with all that a run has where nobody disturbed it; nothing waits any more."""
    store, whole = open_store(settings.tracking), open_store(finished_study.settings.tracking)
    found = [result_of(store, run_id) for run_id in run_ids(settings)]
    wanted = [result_of(whole, run_id) for run_id in run_ids(finished_study.settings)]
    assert found == wanted
    assert len(find_runs(store, role="trial")) == TRIALS
    (parent,) = find_runs(store, role="study")
    assert (parent.status, parent.tags["state"]) == ("FINISHED", "complete")
    assert {"report.html", "ranking.csv", "best.toml"} <= {
        path.name for path in artifact_folder(store, parent.id).iterdir()
    }
    assert not store.outbox.spool
    assert not list((store.root / "spool").rglob("refused.jsonl"))
    return store


def require_on_the_server(store: Store) -> None:
    """Every file of the record stands on the server too."""
    client = MlflowClient(tracking_uri=store.uri)

    def files(run_id: str, path: str | None = None) -> set[str]:
        found: set[str] = set()
        for entry in client.list_artifacts(run_id, path):
            found |= files(run_id, entry.path) if entry.is_dir else {entry.path}
        return found

    for row in find_runs(store):
        folder = artifact_folder(store, row.id)
        assert files(row.id) == {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.long
@at("server")
def test_a_server_that_goes_away_and_comes_back_during_a_study(
    settings: Settings, finished_study, server: Server
) -> None:
    def outage(number: int, step: int, _out: io.StringIO) -> None:
        if (number, step) == (1, 0):  # its run has begun and has nothing in it
            server.stop()
        if (number, step) == (2, 2):  # its run began while nobody answered
            server.start()

    out = study_with(settings, outage)

    assert out.count("does not answer: what is recorded waits in") == 1
    assert " writes that waited for it are delivered" in out
    assert "secret" not in out
    store = require_nothing_lost(settings, finished_study)
    assert run_ids(settings)[2].startswith("waiting-")
    require_on_the_server(store)
    with pytest.raises(RecordError, match="not allowed"):  # who says no is not away
        reopen_run(store, find_runs(store, role="trial")[0].id).parameters({"training.steps": 9})


def with_studies_in_a_file(settings: Settings) -> Settings:
    """The same with Optuna's studies in a file, so that only the tracking goes away."""
    return change(settings, {"search.storage": ""})


@pytest.mark.long
@at("postgresql")
def test_tracking_that_stays_away_gets_everything_from_the_next_command(
    settings: Settings, finished_study, server: Server
) -> None:
    settings = with_studies_in_a_file(settings)
    try:
        out = study_with(settings, lambda number, step, _: server.stop() if (number, step) == (1, 0) else None)
        assert "is delivered when it is back, or by the next command" in out
        assert "delivered\n" not in out
    finally:
        server.start()
    assert "report   not written" in out
    assert {path.name for path in Path(settings.tracking.root).rglob("*")} >= {"ranking.csv", "best.toml"}

    again = study_with(settings, lambda *_: None)
    assert " writes that waited for it are delivered" in again
    assert "was left" not in again  # the records agree: there is nothing to mend
    assert "report.html" in again
    require_nothing_lost(settings, finished_study)


@pytest.mark.long
@at("postgresql")
def test_both_databases_away_during_a_study(settings: Settings, finished_study, server: Server) -> None:
    threads: list[threading.Thread] = []

    def outage(number: int, step: int, out: io.StringIO) -> None:
        if (number, step) == (1, 1):
            server.stop()
            threads.append(threading.Thread(target=start_when_missed, args=(out,)))
            threads[0].start()

    def start_when_missed(out: io.StringIO) -> None:
        while "the study waits for it" not in out.getvalue():
            time.sleep(0.01)
        server.start()

    out = study_with(settings, outage)
    threads[0].join()

    assert "answers again after" in out
    assert "secret" not in out
    require_nothing_lost(settings, finished_study)
