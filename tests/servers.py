"""Real servers for tests, each in processes and a folder of its own, really stopped and started."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

#: Where Debian's and other packages put PostgreSQL's programs.
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgreSQL:
    """A cluster of databases below a folder, listening on localhost only; its user `tests` has the password `secret`."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.data, self.port = folder, folder / "data", free_port()
        # PostgreSQL refuses to run as root.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
        password = folder / "password"
        password.write_text("secret")
        password.chmod(0o644)
        self.call("initdb", "-D", self.data, "-U", "tests", "--auth=scram-sha-256", f"--pwfile={password}", "--no-sync")
        self.start()

    @staticmethod
    def missing() -> str:
        """Why there is none on this machine; empty where there is one."""
        if not PROGRAMS:
            return "PostgreSQL is not installed (Debian: apt-get install postgresql)"
        if os.geteuid() == 0 and "postgres" not in {entry.pw_name for entry in pwd.getpwall()}:
            return "PostgreSQL does not run as root, and there is no user postgres"
        return ""

    def call(self, program: str, *arguments: object) -> None:
        environment = os.environ | {"PGPASSWORD": "secret"}
        done = subprocess.run(
            [str(PROGRAMS[-1] / program), *map(str, arguments)],
            user=self.user,
            group=self.user,
            extra_groups=[] if self.user else None,
            cwd=self.folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder} -c fsync=off"
        self.call("pg_ctl", "-D", self.data, "-o", options, "-l", self.folder / "log", "-w", "start")

    def stop(self) -> None:
        """Stop as a restart does: connections are cut."""
        self.call("pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop")

    def make_database(self, name: str, like: str = "template1") -> str:
        """Make a database, as a copy of another one; returns its address."""
        self.call("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "tests", "-T", like, name)
        return self.address(name)

    def drop_database(self, name: str) -> None:
        self.call("dropdb", "-h", "127.0.0.1", "-p", self.port, "-U", "tests", "--force", name)

    def address(self, name: str) -> str:
        return f"postgresql://tests:secret@127.0.0.1:{self.port}/{name}"


def query(address: str, statement: str) -> Sequence[Sequence]:
    """Rows of a statement, over a connection of its own."""
    from sqlalchemy import create_engine, text
    from sqlalchemy.pool import NullPool

    from tracking.address import engine_url

    with create_engine(engine_url(address), poolclass=NullPool).connect() as connection:
        return connection.execute(text(statement)).fetchall()


class MlflowServer:
    """An MLflow server on localhost with a database and artifacts of its own below a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        from tracking.server import wait_until_ready

        log = self.folder / "server.log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self.port)),
                    *("--workers", "1", "--backend-store-uri", f"sqlite:///{self.folder}/server.db"),
                    *("--artifacts-destination", str(self.folder / "artifacts")),
                ],
                env=os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        wait_until_ready(self.process, self.port, log)

    def stop(self) -> None:
        from tracking.server import stop

        if self.process is not None:
            stop(self.process)
            self.process = None
