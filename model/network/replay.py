"""The critic's memory of earlier fakes: one tensor with a cap in bytes, and the choices that chance makes for it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class CriticDraws:
    """What chance decides in one step of the critic.

    Attributes:
        written: int64, distinct rows of the ring that take the last samples of the batch, in their order.
        replayed: int64, rows that are drawn after that, with replacement: one for every second sample.
        is_fake: bool, one per sample: whether the critic is shown the fake or the real one.
    """

    written: Tensor
    replayed: Tensor
    is_fake: Tensor


def draw_for_critic(step: int, samples: int, capacity: int, generator: np.random.Generator) -> CriticDraws:
    """Draw for the step that follows `step` finished ones, CPU tensors.

    Free rows are written first; when the ring is full, new samples replace old ones that are chosen uniformly.

    Args:
        step: finished steps; each has written `samples` samples.
        samples: of a step.
        capacity: rows of the ring.
        generator: of this step alone.
    """
    filled = min(step * samples, capacity)
    written = min(samples, capacity)
    appended = np.arange(filled, min(filled + written, capacity))
    evicted = generator.choice(filled, written - len(appended), replace=False)
    replayed = generator.integers(filled + len(appended), size=samples // 2)
    return CriticDraws(
        written=torch.from_numpy(np.concatenate([appended, evicted])),
        replayed=torch.from_numpy(replayed),
        is_fake=torch.from_numpy(generator.random(samples) < 0.5),
    )


class ReplayRing:
    """Holds fakes with their contexts, one per row of a float32 tensor that is allocated once.

    Raises:
        ValueError: one sample alone is larger than the cap.
    """

    def __init__(
        self, capacity_bytes: int, fake_shape: Sequence[int], context_shape: Sequence[int], device: torch.device
    ) -> None:
        self.fake_shape, self.context_shape = tuple(fake_shape), tuple(context_shape)
        self.capacity = ring_capacity(capacity_bytes, fake_shape, context_shape)
        values = math.prod(fake_shape) + math.prod(context_shape)
        self.rows = torch.zeros(self.capacity, values, device=device)
        self.count = 0

    def add(self, fake: Tensor, context: Tensor, written: Tensor) -> None:
        """Write a batch (NCHW each) over these rows; of a batch larger than the ring the last samples."""
        assert fake.shape[1:] == self.fake_shape, (fake.shape, self.fake_shape)
        new = torch.cat([fake.flatten(1), context.flatten(1)], 1).float()
        self.rows.index_copy_(0, written, new[-len(written) :])
        self.grow(len(written))

    def grow(self, written: int) -> None:
        """Count rows that were written."""
        self.count = min(self.count + written, self.capacity)

    def draw(self, replayed: Tensor) -> tuple[Tensor, Tensor]:
        """Fakes and contexts (NCHW, float32) of these rows."""
        rows = self.rows.index_select(0, replayed)
        values = math.prod(self.fake_shape)
        return rows[:, :values].reshape(-1, *self.fake_shape), rows[:, values:].reshape(-1, *self.context_shape)

    def state_dict(self) -> dict[str, Any]:
        """The filled rows (a copy: a view would be saved with all the free ones)."""
        return {"rows": self.rows[: self.count].clone()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over the rows of `state_dict`; one that holds more than this cap allows is a ValueError."""
        rows = state["rows"]
        if len(rows) > self.capacity:
            raise ValueError(
                f"the replay ring must hold the {len(rows)} samples of the checkpoint, but losses.replay_mib "
                f"allows {self.capacity}; set it as it was"
            )
        self.count = len(rows)
        self.rows[: self.count] = rows.to(self.rows.device)


def ring_capacity(capacity_bytes: int, fake_shape: Sequence[int], context_shape: Sequence[int]) -> int:
    """Rows of float32 fakes (CHW) and contexts (chw) that the cap allows.

    Raises:
        ValueError: not even one.
    """
    row_bytes = 4 * (math.prod(fake_shape) + math.prod(context_shape))
    if row_bytes > capacity_bytes:
        raise ValueError(
            f"the replay ring must hold at least one sample of {row_bytes / 2**20:.1f} MiB, "
            f"but losses.replay_mib gives it {capacity_bytes / 2**20:g}; raise it or make the crops smaller"
        )
    return capacity_bytes // row_bytes
