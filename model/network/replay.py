"""The critic's memory of earlier fakes: one tensor with a cap in bytes."""

import math
from typing import Any

import torch
from torch import Tensor


class ReplayRing:
    """Holds fakes with their contexts, one per row of a single tensor; when full, a new one replaces a random one.

    The rows are allocated at the first `add`, in the dtype of the fakes. Every choice comes from the given generator.
    """

    def __init__(self, capacity_bytes: int) -> None:
        self.capacity_bytes = capacity_bytes
        self.rows = torch.empty(0, 0)
        self.count = 0

    def add(self, fake: Tensor, context: Tensor, generator: torch.Generator) -> None:
        """Store a batch (NCHW each), into free rows first, then over distinct rows chosen uniformly among the old.

        Raises:
            ValueError: one sample alone is larger than the cap.
        """
        new = pack(fake, context)
        if not self.count:
            self.rows = new.new_empty(self.capacity(new), new.shape[1])
        capacity = len(self.rows)
        new = new[-capacity:]
        free = min(capacity - self.count, len(new))
        appended = torch.arange(self.count, self.count + free, device=new.device)
        # Distinct rows: two writes to one row have no defined order on CUDA.
        evicted = torch.randperm(self.count, generator=generator, device=new.device)[: len(new) - free]
        self.rows.index_copy_(0, torch.cat([appended, evicted]), new)
        self.count += free

    def draw(self, like: Tensor, context: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Draw as many fakes and contexts as `like` and `context` (NCHW) have, with replacement, in their shapes."""
        assert self.count, "nothing was added"
        chosen = torch.randint(self.count, (len(like),), generator=generator, device=like.device)
        rows = self.rows.index_select(0, chosen)
        values = math.prod(like.shape[1:])
        return rows[:, :values].reshape(like.shape), rows[:, values:].reshape(context.shape)

    def capacity(self, new: Tensor) -> int:
        """Rows of the given kind that the cap allows."""
        row_bytes = new.shape[1] * new.element_size()
        if row_bytes > self.capacity_bytes:
            raise ValueError(
                f"the replay ring must hold at least one sample of {row_bytes / 2**20:.1f} MiB, "
                f"but losses.replay_mib gives it {self.capacity_bytes / 2**20:g}; raise it or make the crops smaller"
            )
        return self.capacity_bytes // row_bytes

    def state_dict(self) -> dict[str, Any]:
        """The filled rows (a copy: a view would be saved with all the free ones)."""
        return {"rows": self.rows[: self.count].clone()}

    def load_state_dict(self, state: dict[str, Any], device: torch.device) -> None:
        """Take over the rows of `state_dict`; one that holds more than this cap allows is a ValueError."""
        rows = state["rows"]
        self.count = len(rows)
        if not self.count:
            return
        capacity = self.capacity(rows)
        if self.count > capacity:
            raise ValueError(
                f"the replay ring must hold the {self.count} samples of the checkpoint, but losses.replay_mib "
                f"allows {capacity}; set it as it was"
            )
        self.rows = torch.empty(capacity, rows.shape[1], dtype=rows.dtype, device=device)
        self.rows[: self.count] = rows.to(device)


def pack(fake: Tensor, context: Tensor) -> Tensor:
    """One row per sample: the fake's values, then the context's, in the fake's dtype."""
    return torch.cat([fake.flatten(1), context.to(fake.dtype).flatten(1)], 1)
