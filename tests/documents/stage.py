"""A folder like a fresh clone, with a small conf.toml, in which the commands of the documents are typed."""

import os
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import IO

import psutil
import tomli_w

from model.settings import read_tables
from tests.commands import ROOT, TINY, Command
from tests.servers import PROGRAMS, PostgreSQL, free_port
from tracking.server import wait_until_ready

#: A training of two steps, and a promotion of a few of those.
SMALL = (
    *TINY,
    "data.short_side_px=64",  # room for the crops of 64 px that the guide asks for
    "losses.perceptual=0",  # the weights of LPIPS are not on every machine
    "training.steps=2",
    "search.workers=1",
    "promotion.candidates=1",
    "promotion.seeds=2",
    "promotion.long_steps=4",
    "promotion.steps=6",
    "promotion.evaluate_every=2",
    "promotion.keep_every=4",
)
#: Numbers of the documents, and what they are here.
SMALLER = {
    "--trials 500": "--trials 1",
    "--trials 50": "--trials 4",
    "--configs 8 --steps 5000": "--configs 4 --steps 4",
    "training.steps=100000": "training.steps=4",
    "python -m search.run --set": "python -m search.run --trials 1 --set",
}
#: A process of the stage is known by this variable, whoever started it.
MARK = "TAEHV_TESTED_DOCUMENT"
LIMIT_S = 600


class Stage:
    """Where commands are typed: each in a shell of its own, with this project's environment active."""

    def __init__(self, folder: Path, blank_record: Path, cache: Path, ray_folder: Path) -> None:
        self.folder, self.mark = folder, uuid.uuid4().hex
        self.port, self.ray_port = free_port(), free_port()
        self.ray_folder = ray_folder
        self.databases: PostgreSQL | None = None
        (folder / ".venv").symlink_to(sys.prefix)
        shutil.copytree(blank_record, folder / "mlruns")
        self.write_settings(cache)

    def write_settings(self, cache: Path) -> None:
        """conf.toml with a small size and no profiles, so that `--profile h100` is the same on a CPU."""
        changes = (*SMALL, f"data.cache_dir={cache}", f"tracking.port={self.port}")
        (self.folder / "conf.toml").write_text(tomli_w.dumps(read_tables(ROOT / "conf.toml", "cpu", changes)))

    def here(self, text: str) -> str:
        """A command of a document with its numbers made small and its places made real."""
        for large, small in SMALLER.items():
            text = text.replace(large, small)
        for place in ("/path/to", "/models", "/srv", "/shared"):
            text = text.replace(place, f"{self.folder}{place}")
        host = f"127.0.0.1:{self.databases.port}" if self.databases else "HOST"
        text = text.replace("@HOST", f"@{host}").replace("HEAD:6379", "127.0.0.1:6379")
        return text.replace("6379", str(self.ray_port)).replace("5000", str(self.port))

    def environment(self) -> dict[str, str]:
        """What a shell has after the activation of .venv, beside what names this stage and its databases."""
        programs = [self.folder / ".venv" / "bin", *reversed(PROGRAMS)]
        own = {
            "PATH": ":".join([*map(str, programs), os.environ["PATH"]]),
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "PYTHONUNBUFFERED": "1",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
            "RAY_TMPDIR": str(self.ray_folder),
            MARK: self.mark,
        }
        if self.databases:
            port = str(self.databases.port)
            own |= {"PGHOST": "127.0.0.1", "PGPORT": port, "PGUSER": "tests", "PGPASSWORD": "secret"}
            own |= {"PGDATABASE": "postgres"}
        return os.environ | own

    def type(self, text: str, answer: str = "") -> Command:
        """Type a command and wait for its end.

        A file takes what it prints: daemons that it leaves behind, as `ray start` does, would keep a pipe open.
        """
        said = self.folder / "said"
        with said.open("w") as output:
            done = subprocess.run(
                ["bash", "-c", self.here(text)],
                cwd=self.folder,
                env=self.environment(),
                input=answer,
                stdout=output,
                stderr=output,
                text=True,
                timeout=LIMIT_S,
                start_new_session=True,
                check=False,
            )
        return Command(done.returncode, said.read_text(encoding="utf-8"), "")

    def type_and_interrupt(self, text: str, until: str) -> Command:
        """Type a command that goes on for ever, and press Ctrl-C when it has printed `until`."""
        process = self.start(text, subprocess.PIPE)
        assert process.stdout is not None
        said = ""
        for line in process.stdout:  # ends when the command does
            said += line
            if until in line:
                os.killpg(process.pid, signal.SIGINT)
        process.stdout.close()
        return Command(process.wait(LIMIT_S), said, "")

    def type_and_leave(self, text: str) -> None:
        """Type the command of a server into another terminal, and return when it answers."""
        log = self.folder / "server.log"
        with log.open("w") as output:
            process = self.start(text, output)
        wait_until_ready(process, self.port, log)

    def start(self, text: str, output: IO[str] | int) -> "subprocess.Popen[str]":
        """Start a command; what it prints and its errors come together."""
        return subprocess.Popen(
            ["bash", "-c", self.here(text)],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def clear(self) -> None:
        """End every process that was started here and is still there."""
        left = [process for process in psutil.process_iter() if self.is_ours(process)]
        for process in left:
            process.kill()
        psutil.wait_procs(left, timeout=30)

    def is_ours(self, process: psutil.Process) -> bool:
        """Whether a process descends from this stage."""
        try:
            return process.environ().get(MARK) == self.mark
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            return False
