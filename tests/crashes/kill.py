"""One study, killed once and started again."""

import os
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path

import psutil
from optuna.trial import TrialState

from tests.commands import ROOT, TINY, arguments, environment, settings_options
from tests.crashes.moments import Moment
from tests.crashes.state import trials_of, wrongs

#: Finished trials that the study shall have.
TRIALS = 6

#: Steps of a trial: enough of them that it takes seconds, so that kills meet trials that run.
STEPS = 40

HOLDER = re.compile(r"held by \S+, process \d+, which")

#: Seconds after which a command that has not ended hangs.
PATIENCE_S = 300


@dataclass(frozen=True)
class Outcome:
    """What a kill met, what the same command said of it afterwards, and what was wrong in the end."""

    moment: Moment
    states: str
    said: tuple[str, ...]
    wrongs: tuple[str, ...]


def crash(moment: Moment, folder: Path, cache: Path) -> Outcome:
    """Run a study in the empty record below `folder`, kill it, give the same command again and look at the record."""
    root = folder / "mlruns"
    command = command_of(root, cache)
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment(PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    read_to(process, moment.line)
    try:
        process.wait(moment.delay_s)
    except subprocess.TimeoutExpired:
        states = states_of(root)
        os.kill(victim_of(moment, process), signal.SIGKILL)
    else:
        states = "the command had ended"
    rest, _ = process.communicate(timeout=PATIENCE_S)  # to the end of the workers, which hold the pipe too
    again = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    found = wrongs(root, TRIALS)
    if again.returncode != 0:
        found.append(f"the second command ended with {again.returncode}: {again.stderr.strip()[-300:]}")
    lines = [*rest.splitlines(), *again.stdout.splitlines()]
    said = tuple(
        HOLDER.sub("held by the killed command, which", text)  # its name and number say nothing to others
        for text in lines
        if "was left" in text or "queued again" in text or text.startswith(("error:", "the study was held"))
    )
    return Outcome(moment, states, said, tuple(found))


def command_of(root: Path, cache: Path) -> list[str]:
    """Two workers, and as many checkpoints kept as there are trials."""
    changes = [*TINY, f"data.cache_dir={cache}", f"tracking.root={root}", "search.workers=2"]
    changes += [
        f"tracking.keep_checkpoints={TRIALS}",
        f"training.steps={STEPS}",
        f"training.evaluate_every={STEPS // 2}",
    ]
    return arguments("search.run", "--trials", str(TRIALS), *settings_options(*changes))


def read_to(process: subprocess.Popen[str], beginning: str) -> None:
    """Read to the first line that begins so, or to the end."""
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(beginning):
            return


def victim_of(moment: Moment, process: subprocess.Popen[str]) -> int:
    """The process to kill; the coordinator where its workers have ended already."""
    if moment.victim == "coordinator":
        return process.pid
    children = psutil.Process(process.pid).children()
    workers = [child.pid for child in children if is_worker(child)]
    return workers[moment.lot % len(workers)] if workers else process.pid


def is_worker(child: psutil.Process) -> bool:
    """Whether a child of the coordinator trains; one that has just ended does not."""
    try:
        return "spawn_main" in " ".join(child.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return False


def states_of(root: Path) -> str:
    """How many trials are in which state."""
    states = [trial.state for trial in trials_of(root)]
    return ", ".join(f"{states.count(state)} {state.name}" for state in TrialState if state in states) or "no trial"
