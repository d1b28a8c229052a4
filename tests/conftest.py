"""What all tests share: the settings of a run that takes seconds."""

import os
import signal
import subprocess
import tempfile
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands import ROOT, SHARED, TINY, Command, DoneStudy, arguments, environment, settings_options
from tests.places import Place, databases_of_a_test, make_schemas
from tests.servers import MlflowServer, PostgreSQL

# A shell starts what runs in its background with Ctrl-C ignored, and every process hands that on: tests of Ctrl-C would wait
# for ever. With a handler here, the commands that tests start have the usual one.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def no_lpips_trunk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Tests see no LPIPS trunk unless they ask for one: results must not depend on what a machine has in its cache."""
    before = os.environ.get("TORCH_HOME")
    os.environ["TORCH_HOME"] = str(tmp_path_factory.mktemp("torch-home"))
    yield
    if before is None:
        del os.environ["TORCH_HOME"]
    else:
        os.environ["TORCH_HOME"] = before


@pytest.fixture(scope="session", autouse=True)
def no_way_out() -> Iterator[None]:
    """No download of an LPIPS trunk: results must not depend on whether a machine has a network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("https_proxy", "HTTPS_PROXY"):
            patch.setenv(name, "http://127.0.0.1:9")
        patch.setattr(urllib.request, "_opener", urllib.request.build_opener())
        yield


@pytest.fixture(scope="session", autouse=True)
def bytecode() -> Iterator[None]:
    """Commands keep their own bytecode, also where Python is told to keep none: each would compile the project anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        yield


@pytest.fixture(scope="session")
def cache_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Decoded videos and banks, shared by the tests of a process."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="session")
def blank_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both databases without a study: making them takes seconds, copying them does not."""
    from search.storage import open_storage
    from tracking.store import DATABASE, create_database

    root = tmp_path_factory.mktemp("blank")
    create_database(root / DATABASE)
    open_storage(root, "", print).engine.dispose()
    return root


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """PostgreSQL with the empty schemas of MLflow and Optuna, which tests copy; skipped where it is not installed."""
    if reason := PostgreSQL.missing():
        pytest.skip(reason)
    # pytest's own folders are closed to other users, and PostgreSQL runs as one.
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = PostgreSQL(Path(folder))
        make_schemas(server)
        yield server
        server.stop()


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    """An MLflow server that runs through all tests; each test has an experiment of its own."""
    server = MlflowServer(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """Where the record of a test is: in files, unless its module names places (tests/places.py)."""
    kind = getattr(request, "param", "sqlite")
    if kind == "server":
        server: MlflowServer = request.getfixturevalue("mlflow_server")
        yield Place(kind, tracking_uri=server.address, experiment=f"taehv-{uuid.uuid4().hex}")
    elif kind == "postgresql":
        databases: PostgreSQL = request.getfixturevalue("postgresql")
        yield from databases_of_a_test(databases)
    else:
        yield Place(kind)


@pytest.fixture
def tiny_changes(tmp_path: Path, cache_dir: Path, place: Place) -> list[str]:
    """The --set values of a tiny run with a record of its own."""
    return [*TINY, f"data.cache_dir={cache_dir}", f"tracking.root={tmp_path / 'mlruns'}", *place.changes]


@pytest.fixture
def tiny(tiny_changes: list[str]) -> Callable:
    """Settings of a tiny run on the demo clips; takes further changes."""
    from search.settings import load_settings

    def make(*changes: str):
        return load_settings(ROOT / "conf.toml", "cpu", [*tiny_changes, *changes])

    return make


@pytest.fixture(scope="session")
def call() -> Callable[..., Command]:
    """Run a command of the project in a process of its own."""

    def run(module: str, *options: str, cwd: Path = ROOT, **env: str) -> Command:
        done = subprocess.run(
            arguments(module, *options),
            cwd=cwd,
            env=environment(**env),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Command(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def clips_source() -> str:
    """Real clips where there are some, else the demo's photographs."""
    compact = SHARED / "data" / "compact"
    return str(compact) if compact.exists() else "demo"


@pytest.fixture(scope="session")
def done_study(tmp_path_factory: pytest.TempPathFactory, call, clips_source: str) -> DoneStudy:
    """`python -m search.run --trials 6`, done once; tests only look at what it left."""
    root = tmp_path_factory.mktemp("study") / "mlruns"
    # Three of the six keep their checkpoints, so that both keeping and dropping are seen.
    changes = [
        *TINY,
        f"data.source={clips_source}",
        f"data.cache_dir={root / 'cache'}",
        f"tracking.root={root}",
        "tracking.keep_checkpoints=3",
    ]
    weights = SHARED / "weights"
    env = {"TORCH_HOME": str(weights)} if weights.exists() else {}
    command = call("search.run", "--trials", "6", *settings_options(*changes), **env)
    assert command.code == 0, command.err + command.out
    return DoneStudy(root, changes, command)
