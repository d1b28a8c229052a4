"""What every benchmark leaves: its numbers beside the machine, the versions and the command that they came from."""

import json
import platform
import shlex
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    import torch
    from rich.table import Table


def in_a_folder(out: Path | None) -> Path | None:
    """Refuse a file that cannot be written before minutes are spent on its contents."""
    if out is not None and not out.parent.is_dir():
        raise typer.BadParameter(f"the file must lie in a folder that is there, but '{out.parent}' is none; make it")
    return out


OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Write the numbers to this JSON file.", dir_okay=False, callback=in_a_folder),
]


def describe_machine(
    device: "torch.device", packages: Sequence[str] = (), peak_gpu_mib: float | None = None
) -> dict[str, Any]:
    """Say where, when, with what and by which command something was measured.

    Args:
        device: that the work ran on.
        packages: importable, whose versions matter beside torch's.
        peak_gpu_mib: most GPU memory in use at once, where another process did the work; else this process' own
            allocations count. None on a CPU.
    """
    import torch

    cuda = device.type == "cuda"
    if cuda and peak_gpu_mib is None:
        peak_gpu_mib = torch.cuda.max_memory_allocated(device) / 2**20
    return {
        "device": torch.cuda.get_device_name(device) if cuda else f"cpu, {torch.get_num_threads()} threads",
        "python": platform.python_version(),
        "torch": torch.__version__,
        # As the package itself says: MLflow comes from either of two distributions.
        **{package: import_module(package).__version__ for package in packages},
        "date_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        # The interpreter's own path says nothing to others.
        "command": shlex.join(["python", *sys.orig_argv[1:]]),
        "peak_gpu_mib": peak_gpu_mib,
    }


def name_machine(machine: Mapping[str, Any]) -> str:
    """The chip and torch's version, for the title of a table."""
    peak = "" if machine["peak_gpu_mib"] is None else f", at most {machine['peak_gpu_mib']:.0f} MiB of GPU memory"
    return f"{machine['device']}, torch {machine['torch']}{peak}"


def write_result(out: Path | None, machine: Mapping[str, Any], result: Mapping[str, Any]) -> None:
    """Write the machine and the numbers as JSON where a file was asked for."""
    if out is not None:
        out.write_text(json.dumps({"machine": machine, **result}, indent=2) + "\n", encoding="utf-8")


def make_table(title: str, *headings: str) -> "Table":
    """An empty table: names on the left, numbers on the right."""
    from rich import box
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for index, heading in enumerate(headings):
        table.add_column(heading, justify="right" if index else "left", no_wrap=True)
    return table
