"""How busy the workers were between their first task and their last end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass
class BusyTime:
    """The time of one slot: `busy_s` of the seconds from its first task to its last end went into trials.

    Everything that a trial does counts as busy, its start and its checkpoint included; waiting for the coordinator does not,
    and neither does what a worker did before it died.
    """

    first_task_s: float | None = None
    last_end_s: float | None = None
    busy_s: float = 0.0

    def begin(self, now_s: float) -> None:
        """Note that a task was handed out."""
        if self.first_task_s is None:
            self.first_task_s = now_s

    def end(self, now_s: float, busy_s: float) -> None:
        """Note that a trial has ended, and how long the worker says that it was busy with it."""
        self.last_end_s = now_s
        self.busy_s += busy_s

    @property
    def window_s(self) -> float:
        """Seconds from the first task to the last end; 0 for a slot that ended none."""
        return 0.0 if self.first_task_s is None or self.last_end_s is None else self.last_end_s - self.first_task_s


def busy_shares(times: Sequence[BusyTime]) -> dict[str, float]:
    """Return metrics: time/busy_share of all slots together and, where there are several, of each; none before a trial ended."""
    window_s = sum(time.window_s for time in times)
    if window_s <= 0:
        return {}
    shares = {"time/busy_share": sum(time.busy_s for time in times) / window_s}
    if len(times) > 1:
        each = {f"time/busy_share/slot_{n}": time for n, time in enumerate(times) if time.window_s > 0}
        shares |= {name: time.busy_s / time.window_s for name, time in each.items()}
    return shares


def describe(shares: Mapping[str, float]) -> str:
    """Say the shares in one line."""
    total, *each = (f"{share:.0%}".replace("%", " %") for share in shares.values())
    detail = f" ({', '.join(each)})" if each else ""
    return f"workers busy {total} of the trials' time{detail}"
