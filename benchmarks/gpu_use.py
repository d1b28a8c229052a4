"""How busy GPUs were meanwhile, as nvidia-smi sees it."""

import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

#: Milliseconds between samples. nvidia-smi's utilisation is the share of the last sixth of a second to second (by chip) in
#: which a kernel ran, so more frequent samples would only repeat it.
EVERY_MS = 200

#: Seconds in which nvidia-smi has refused its options if it does.
START_S = 1

QUERY = "timestamp,utilization.gpu,memory.used"


@dataclass(frozen=True)
class Sample:
    """One GPU at one moment."""

    time_s: float  # since 1970
    utilisation: float  # per cent of the time in which a kernel ran
    memory_mib: float  # of all processes


@contextmanager
def sampling(gpus: Sequence[str], log: Path) -> Iterator[None]:
    """Let nvidia-smi write samples of these GPUs (indices or UUIDs) to a file while the work inside runs.

    Without GPUs nothing is started.

    Raises:
        RuntimeError: there is no nvidia-smi, or it ends by itself.
    """
    if not gpus:
        yield
        return
    program = shutil.which("nvidia-smi")
    if program is None:
        raise RuntimeError("how busy a GPU is can only be read with nvidia-smi, but there is none; put it on the PATH")
    command = [program, f"--id={','.join(gpus)}", f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    with log.open("w") as file:
        sampler = subprocess.Popen([*command, f"--loop-ms={EVERY_MS}"], stdout=file)
        try:
            refuse_early_end(sampler)
            yield
        finally:
            sampler.terminate()
            sampler.wait()


def refuse_early_end(sampler: "subprocess.Popen[bytes]") -> None:
    """See that nvidia-smi goes on: one that does not take its options ends at once, and minutes later nothing is measured.

    Raises:
        RuntimeError: it ended.
    """
    with suppress(subprocess.TimeoutExpired):
        code = sampler.wait(START_S)
        raise RuntimeError(f"nvidia-smi must sample until it is told to end, but ended with {code}; see above")


def read_samples(text: str) -> list[Sample]:
    """Read what nvidia-smi wrote; lines without numbers ([N/A], or cut off at the end) are left out."""
    samples = []
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) == 3 and all(cell.isdigit() for cell in cells[1:]):
            moment = datetime.strptime(cells[0], "%Y/%m/%d %H:%M:%S.%f")  # in the machine's own time zone
            samples.append(Sample(moment.timestamp(), float(cells[1]), float(cells[2])))
    return samples


def summarise(samples: Sequence[Sample], start_s: float, end_s: float) -> dict[str, Any] | None:
    """How busy the GPUs were from start to end (seconds since 1970); None without a sample in that time.

    Returns:
        "samples"; "covered_share" of the time, from the first sample to the last; "busy_share" of samples with a
        utilisation above 0; "mean_utilisation" in per cent; "peak_mib", of all samples.
    """
    inside = [sample for sample in samples if start_s <= sample.time_s <= end_s]
    if not inside:
        return None
    times = [sample.time_s for sample in inside]
    return {
        "samples": len(inside),
        "covered_share": (max(times) - min(times)) / (end_s - start_s),
        "busy_share": sum(sample.utilisation > 0 for sample in inside) / len(inside),
        "mean_utilisation": sum(sample.utilisation for sample in inside) / len(inside),
        "peak_mib": max(sample.memory_mib for sample in samples),
    }
