"""What a pass forward and backward computes and keeps, counted on tensors that need no memory."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Cost:
    """Floating point operations of a pass forward and backward, and bytes that it saves in between."""

    flop: int
    saved_bytes: int


def count(forward: Callable[[], "Tensor"]) -> Cost:
    """Run a pass forward to a number and backward from it, and count."""
    from torch.utils.flop_counter import FlopCounterMode

    saved: dict[int, Any] = {}
    with FlopCounterMode(display=False) as counter:
        with record_saved(saved):
            result = forward()
        result.backward()
    return Cost(counter.get_total_flops(), sum(storage.nbytes() for storage in saved.values()))


def record_saved(saved: dict[int, Any]) -> AbstractContextManager[Any]:
    """Collect each storage that is kept for the backward pass once, parameters left out."""
    import torch

    def pack(tensor: "Tensor") -> "Tensor":
        if not isinstance(tensor, torch.nn.Parameter):
            storage = tensor.untyped_storage()
            saved[storage._cdata] = storage
        return tensor

    return torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor)


def add(costs: list[Cost]) -> Cost:
    """The sum of costs."""
    return Cost(sum(cost.flop for cost in costs), sum(cost.saved_bytes for cost in costs))
