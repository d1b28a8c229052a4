"""What a GPU did in some work: its kernels, counted and timed by CUPTI."""

from collections.abc import Callable
from typing import Any

#: Kernels that are named in the result, those that took longest.
NAMED = 40


def measure_kernels(work: Callable[[], None], repeats: int) -> dict[str, Any]:
    """Run work that repeats something, and say of each repeat how many kernels ran, how long in sum, and which took longest.

    "busy_share" is the kernels' time over the time from the first kernel's start to the last one's end: above 1 where kernels
    overlap.
    """
    import torch
    from torch.profiler import ProfilerActivity, profile

    # One cycle has nothing to accumulate; without the word torch 2.11 warns that it does not.
    with profile(activities=[ProfilerActivity.CUDA], acc_events=True) as profiler:
        work()
        torch.cuda.synchronize()
    kernels = [event for event in profiler.events() if str(event.device_type).endswith("CUDA")]
    seconds = sum(event.time_range.elapsed_us() for event in kernels) / 1e6
    span = (
        max(event.time_range.end for event in kernels) - min(event.time_range.start for event in kernels)
    ) / 1e6  # microseconds
    totals: dict[str, list[float]] = {}
    for event in kernels:
        total = totals.setdefault(event.name, [0, 0.0])
        total[0] += 1
        total[1] += event.time_range.elapsed_us() / 1000
    longest = sorted(totals.items(), key=lambda item: -item[1][1])[:NAMED]
    return {
        "kernels": len(kernels) / repeats,
        "kernel_ms": 1000 * seconds / repeats,
        "busy_share": seconds / span,
        "longest": [
            {"name": name, "count": count / repeats, "ms": milliseconds / repeats}
            for name, (count, milliseconds) in longest
        ],
    }
