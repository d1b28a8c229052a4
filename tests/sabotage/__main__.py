"""python -m tests.sabotage FILE: plant every fault, train the sound runs, write how many were told apart."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sabotage.faults import FAULTS
from tests.sabotage.runs import HEALTHY, HEALTHY_STEPS, Outcome, sabotage, train_and_diagnose
from tracking.store import DATABASE, create_database

HEAD = """# How well the diagnosis tells faults apart

Each line is a real training of seconds (cpu profile, 60 to 130 steps, one of 1000, on the demo's photographs, without LPIPS)
through the whole path of `python -m search.train --force`: preflight, training, record, diagnosis. A fault is planted alone into
the project's own functions (`tests/sabotage/faults.py`); it counts as found when its code is the first finding. An alarm is false
when a sound run has a finding of severity error. One fault of each code and four of the sound runs are tests
(`tests/sabotage/`); faults of studies (`search.edge_of_space`, `search.noise_floor`) are there alone.

    python -m tests.sabotage docs/diagnosis-recall.md

"""


@contextmanager
def empty_folder(blank: Path) -> Iterator[Path]:
    """A folder with an empty record in it, gone afterwards."""
    with tempfile.TemporaryDirectory() as name:
        shutil.copytree(blank, Path(name) / "mlruns")
        yield Path(name)


def main(out: Path) -> None:
    """Run everything and write the two tables."""
    with tempfile.TemporaryDirectory() as name:
        blank, cache = Path(name) / "blank", Path(name) / "cache"
        blank.mkdir()
        create_database(blank / DATABASE)
        # Without LPIPS, whatever the machine has: a file where its folder should be is no cache and takes no download.
        no_folder = Path(name) / "no-torch-home"
        no_folder.touch()
        os.environ["TORCH_HOME"] = str(no_folder)
        faults = [(fault.name, fault.code, run_fault(index, blank, cache)) for index, fault in enumerate(FAULTS)]
        sound = [(" ".join(changes), run_sound(changes, blank, cache)) for changes in HEALTHY]
    found = sum(outcome.first == code for _, code, outcome in faults)
    alarms = sum(bool(outcome.errors()) for _, outcome in sound)
    text = (
        f"{HEAD}**{found} of {len(faults)} faults found first; {alarms} false alarms in {len(sound)} sound runs.**\n\n"
    )
    text += "| planted fault | its code | first finding | severity | explained by it |\n|---|---|---|---|---|\n"
    text += "".join(fault_line(*fault) for fault in faults)
    text += "\n| sound run | findings (severity) | dB |\n|---|---|---|\n"
    text += "".join(sound_line(*run) for run in sound)
    out.write_text(text, encoding="utf-8")


def run_fault(index: int, blank: Path, cache: Path) -> Outcome:
    """Plant one fault."""
    with empty_folder(blank) as folder:
        print(f"[{index + 1}/{len(FAULTS)}] {FAULTS[index].name}", flush=True)
        return sabotage(FAULTS[index], folder, cache)


def run_sound(changes: tuple[str, ...], blank: Path, cache: Path) -> Outcome:
    """Train one sound run."""
    with empty_folder(blank) as folder:
        print(f"sound: {' '.join(changes)}", flush=True)
        return train_and_diagnose((*HEALTHY_STEPS, *changes, f"data.cache_dir={cache}"), folder / "mlruns")


def fault_line(name: str, code: str, outcome: Outcome) -> str:
    """A row of the first table."""
    first = outcome.findings[0] if outcome.findings else {"severity": "-", "consequences": []}
    below = ", ".join(dict.fromkeys(one["code"] for one in first["consequences"])) or "-"
    mark = f"`{outcome.first}`" if outcome.first == code else f"**`{outcome.first}`**"
    return f"| {name} | `{code}` | {mark} | {first['severity']} | {below} |\n"


def sound_line(changes: str, outcome: Outcome) -> str:
    """A row of the second table."""
    findings = ", ".join(f"{one['code']} ({one['severity']})" for one in outcome.findings) or "none"
    return f"| {changes} | {findings} | {outcome.psnr:.1f} |\n"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
