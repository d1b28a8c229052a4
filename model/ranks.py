"""The processes that share one training, and all that they say to each other.

A training of one process is the trivial case: nothing is sent, and every method returns what it was given.
"""

import contextlib
import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

#: How long a rank waits for another: longer than decoding takes, which the first rank does alone.
PATIENCE = timedelta(hours=2)


class LostRankError(RuntimeError):
    """Another process of the training is gone, or cannot be reached."""


@dataclass(frozen=True)
class Ranks:
    """One process among those of a training.

    Attributes:
        rank: its number, from 0; the first alone writes, prints and evaluates.
        count: of the processes.
        per_machine: processes on this machine.
    """

    rank: int = 0
    count: int = 1
    per_machine: int = 1

    @property
    def alone(self) -> bool:
        """Whether there is no other process."""
        return self.count == 1

    @property
    def first(self) -> bool:
        """Whether this is the process that writes, prints and evaluates."""
        return self.rank == 0

    def slice_of(self, length: int) -> slice:
        """The part of `length` equal things, a multiple of the count, that is this rank's."""
        assert length % self.count == 0, f"{length} things for {self.count} ranks"
        own = length // self.count
        return slice(self.rank * own, (self.rank + 1) * own)

    @torch.no_grad()
    def average_(self, tensor: Tensor) -> Tensor:
        """Replace a tensor by its mean over the ranks, the same bits on all of them; returns it."""
        if not self.alone:
            with told_plainly(self):
                dist.all_reduce(tensor.detach())
            tensor.detach().div_(self.count)
        return tensor

    def average(self, tensor: Tensor) -> Tensor:
        """The mean of a tensor over the ranks, differentiable on all of them."""
        if self.alone:
            return tensor
        mean: Tensor = MeanOverRanks.apply(tensor, self)
        return mean

    def std(self, tensor: Tensor) -> Tensor:
        """Standard deviation (population) of the values of all ranks, 0-dim; each has as many of them, without a graph."""
        if self.alone:
            return tensor.std(correction=0)
        mean = self.average_(tensor.detach().mean())
        return self.average_((tensor.detach() - mean).square().mean()).sqrt()

    def gather(self, tensor: Tensor) -> Tensor:
        """The rows of all ranks in their order; each has as many of them, without a graph."""
        if self.alone:
            return tensor
        own = tensor.detach().contiguous()
        parts = [torch.empty_like(own) for _ in range(self.count)]
        with told_plainly(self):
            dist.all_gather(parts, own)
        return torch.cat(parts)

    def any(self, flag: bool) -> bool:
        """Whether one of the ranks says so; all learn it at the same place of the program."""
        return bool(self.gather(torch.tensor([flag])).any())

    def tell(self, thing: Any) -> Any:
        """What the first rank says, on every rank; what others pass does not matter."""
        if self.alone:
            return thing
        things = [thing]
        with told_plainly(self):
            dist.broadcast_object_list(things, src=0, device=torch.device("cpu"))
        return things[0]

    def wait(self) -> None:
        """Go on when all ranks have come here."""
        self.any(False)


#: A training of one process.
ALONE = Ranks()


class MeanOverRanks(torch.autograd.Function):
    """The mean over ranks, whose gradient is the mean of the ranks' gradients: each loss there depends on each value here."""

    @staticmethod
    def forward(context: Any, tensor: Tensor, ranks: Ranks) -> Tensor:  # noqa: D102 - torch's name, and what torch calls it for
        context.ranks = ranks
        return ranks.average_(tensor.detach().clone())

    @staticmethod
    def backward(context: Any, outer: Tensor) -> tuple[Tensor, None]:  # noqa: D102 - likewise
        return context.ranks.average_(outer.contiguous().clone()), None


@contextlib.contextmanager
def told_plainly(ranks: Ranks) -> Iterator[None]:
    """Say in one line that another rank is gone, where the network library shows its own addresses."""
    try:
        yield
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        raise LostRankError(
            f"all {ranks.count} processes of a training must live, but rank {ranks.rank} has lost another one "
            f"({' '.join(str(error).split())[:200]}); what that one said last tells why, and the command must be started again"
        ) from error


@contextlib.contextmanager
def open_ranks() -> Iterator[Ranks]:
    """Join the processes that torchrun started (WORLD_SIZE above 1 says so), or be alone.

    The process' current CUDA device becomes the one of its number on the machine; tensors there are sent by NCCL, others by gloo.

    Raises:
        ValueError: the environment says that there are several processes and not how to find them.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    local, devices = int(os.environ.get("LOCAL_RANK", "0")), torch.cuda.device_count()
    if local < devices:
        torch.cuda.set_device(local)
    # Its functions take the group that stands when it is imported as their default. Imported later, by whatever part of torch, it
    # would hold this group for ever, and gloo's threads could meet the end of the interpreter: "terminate called ...", SIGABRT.
    importlib.import_module("torch.distributed.nn.functional")
    dist.init_process_group("cpu:gloo,cuda:nccl" if devices else "gloo", timeout=PATIENCE)
    yield Ranks(dist.get_rank(), dist.get_world_size(), int(os.environ.get("LOCAL_WORLD_SIZE", "1")))
    # Not after an error: whoever waits for a rank that is gone would wait here too.
    dist.destroy_process_group()
