"""Where a result comes from: code, packages, machine and data."""

import functools
import json
import platform
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from tracking.run import Run
from tracking.source import Source, running_source

#: pyproject.toml's direct dependencies, those of its extras that can change a result, and MLflow without its server.
PACKAGES = (
    *("accelerate", "av", "diffusers", "lpips", "mlflow", "mlflow-skinny", "numpy", "optuna", "pillow", "plotly"),
    *(
        "pydantic",
        "ray",
        "rich",
        "safetensors",
        "scikit-image",
        "scipy",
        "sqlalchemy",
        "tomli-w",
        "torch",
        "torchvision",
        "typer",
    ),
)

#: Stands where a package's version would.
NOT_INSTALLED = "not installed"


def provenance() -> dict[str, Any]:
    """Describe the code, the packages and the machine of this process; what is unknown says why."""
    source = running_source()
    return {
        "git": {
            "commit": source.commit,
            "dirty": source.dirty,
            "untracked": list(source.untracked),
            "note": source.note,
        },
        "python": platform.python_version(),
        "packages": {name: installed_version(name) for name in PACKAGES},
        "platform": platform.platform(),
        "cpu": cpu_name(),
        "gpus": gpu_names(),
        "torch": {"cuda": torch.version.cuda, "cuda_available": torch.cuda.is_available()},
    }


def log_provenance(run: Run, manifest: Sequence[Mapping[str, Any]], digest: str) -> None:
    """Record where a run comes from: artifacts under provenance/, tags and the data set as MLflow's input.

    Args:
        run: the run.
        manifest: one entry a video file, with its name and its hash.
        digest: the hash of all data that the run sees.
    """
    source = running_source()
    run.text("provenance/versions.json", versions_text())
    if source.dirty:
        run.text("provenance/git.diff", changes(source))
    lines = ",\n".join(json.dumps(dict(entry), ensure_ascii=False) for entry in manifest)
    run.text("provenance/data_manifest.json", f"[\n{lines}\n]\n")
    run.tags({"git_commit": source.commit or f"unknown: {source.note}", "data_digest": digest})
    run.dataset("clips", digest, source="provenance/data_manifest.json")


@functools.cache
def versions_text() -> str:
    """`provenance` as JSON: the same for all runs of a process, which may be a thousand."""
    return json.dumps(provenance(), indent=2, ensure_ascii=False) + "\n"


def changes(source: Source) -> str:
    """The difference from the commit as text; files that git does not know are only named."""
    named = "".join(f"# untracked: {name}\n" for name in source.untracked)
    return named + source.diff


@functools.cache
def installed_version(package: str) -> str:
    """The version of an installed package, read once: one that is installed later was not loaded by this process."""
    try:
        return version(package)
    except PackageNotFoundError:
        return NOT_INSTALLED


@functools.cache
def cpu_name() -> str:
    """The processor's name; on Linux only /proc/cpuinfo knows it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


@functools.cache
def gpu_names() -> list[str]:
    """Name, memory and driver of each GPU of the machine."""
    # Not from torch: that would start CUDA, and take memory, in a process that trains nothing.
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    answer = subprocess.run(query, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        return [f"unknown: nvidia-smi says {' '.join(answer.stdout.split())}"]
    return [line.strip() for line in answer.stdout.splitlines()]
