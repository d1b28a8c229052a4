"""python -m tests.crashes FILE: kill small studies at 20 moments, start each again, and write what was left."""

import os
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

from search.storage import open_storage
from tests.crashes.kill import TRIALS, Outcome, crash
from tests.crashes.moments import Moment, moments
from tracking.store import DATABASE, create_database

MOMENTS = 20

HEAD = f"""# What a kill leaves behind

{MOMENTS} studies of {TRIALS} small trials on two workers, everything real but the size, each killed once with SIGKILL,
the coordinator or a worker, at a moment that a seed draws: some seconds after a line of `search.run`
(`tests/crashes/moments.py`). Then the same command is given again.
Afterwards (`tests/crashes/state.py`): exactly {TRIALS} finished trials, none twice, no trial and no run RUNNING, every run
as its trial says, no run of nobody but failed ones, `PRAGMA integrity_check` of both databases, every finished trial
with all its artifacts and its checkpoint, no files of a training left. One of the moments is a test.

    python -m tests.crashes docs/crash-matrix.md

"""


def main(out: Path) -> None:
    """Run everything, two studies at a time, and write the table."""
    with tempfile.TemporaryDirectory() as name:
        blank = Path(name) / "blank"
        blank.mkdir()
        create_database(blank / DATABASE)
        open_storage(blank, "", print).engine.dispose()

        def crash_one(index: int, moment: Moment) -> Outcome:
            folder = Path(name) / str(index)
            shutil.copytree(blank, folder / "mlruns")
            outcome = crash(moment, folder, Path(name) / "cache")
            print(f"{index + 1}: {outcome}", flush=True)
            return outcome

        with ThreadPoolExecutor(2) as pool:
            outcomes = list(pool.map(crash_one, range(MOMENTS), moments(MOMENTS)))
    sound = sum(not outcome.wrongs for outcome in outcomes)
    midway = sum("RUNNING" in outcome.states for outcome in outcomes)
    rows = "".join(row(number, outcome) for number, outcome in enumerate(outcomes, start=1))
    out.write_text(
        f"{HEAD}**{sound} of {MOMENTS} ended as if nobody had been killed.** "
        f"The kill met {midway} of them while trials ran, the others at their start or while the report was written "
        f"({date.today()}, {os.cpu_count()} processors).\n\n"
        "| | killed | after the line | Optuna's trials then | said afterwards | wrong in the end |\n"
        f"|---|---|---|---|---|---|\n{rows}",
        encoding="utf-8",
    )


def row(number: int, outcome: Outcome) -> str:
    """One line of the table."""
    moment, said = outcome.moment, "<br>".join(outcome.said) or "-"
    wrong = "<br>".join(outcome.wrongs) or "nothing"
    after = f"`{moment.line}`, {moment.delay_s:.1f} s"
    return f"| {number} | {moment.victim} | {after} | {outcome.states} | {said} | {wrong} |\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
