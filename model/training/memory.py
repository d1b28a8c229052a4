"""Running out of memory: told from other errors, and the batch size that fits found by trying."""

import gc
from dataclasses import dataclass

import torch

from model.bank import Bank
from model.evaluation.perceptual import Perceptual
from model.recipe import Recipe
from model.settings import change
from model.training.loop import train
from model.training.step import NonFiniteError

#: What allocators say that have no exception of their own: torch's on the CPU, C++, oneDNN, CUDA's driver and its libraries.
SIGNS = ("can't allocate memory", "bad_alloc", "could not create a primitive", "out of memory", "_STATUS_ALLOC_FAILED")

MIB = 2**20


@dataclass(frozen=True)
class Shortage:
    """A batch size that needed too much, and one that does not.

    Attributes:
        batch_size: the one that ran out of memory.
        fitting: the largest of its halves, quarters and so on that trained; None where not even 1 did.
        peak_mib: the most memory in use while `fitting` trained; None on a CPU.
        limit_mib: of the device; None on a CPU.
    """

    batch_size: int
    fitting: int | None
    peak_mib: float | None
    limit_mib: float | None

    def explain(self, said: str) -> str:
        """Say in one line what happened and what to do, where `said` is the error's own text."""
        return f"out of memory at training.batch_size = {self.batch_size}: {said}; {self.remedy()}"

    def remedy(self) -> str:
        """What to do, for the end of a sentence."""
        if self.fitting is None:
            lower = "lower data.crop_px or network.width"
            if self.limit_mib is None:
                # The allocator of a CPU gives little of what a failed training used back to the system (docs/LOG.md).
                held = "beside what this process still held, try it in a new one"
                return f"not even training.batch_size = 1 fitted {held} or {lower}"
            return f"not even training.batch_size = 1 fits, {lower}"
        return f"set training.batch_size = {self.fitting}, which fits"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error says that memory could not be had."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in SIGNS)


def measure_shortage(recipe: Recipe, bank: Bank, perceptual: Perceptual | None, device: torch.device) -> Shortage:
    """Try halves of a recipe's batch size until one trains; what the failed training held must be free already.

    Raises:
        Exception: whatever a training raises that is not about memory.
    """
    size = recipe.training.batch_size
    halves = [size >> times for times in range(1, size.bit_length())]
    fitting = next((half for half in halves if trains(recipe, half, bank, perceptual, device)), None)
    if device.type != "cuda":
        return Shortage(size, fitting, None, None)
    peak_mib = None if fitting is None else torch.cuda.max_memory_allocated(device) / MIB
    return Shortage(size, fitting, peak_mib, torch.cuda.get_device_properties(device).total_memory / MIB)


def trains(recipe: Recipe, batch_size: int, bank: Bank, perceptual: Perceptual | None, device: torch.device) -> bool:
    """Whether a training with this batch size has the memory for a step, a probe and an evaluation side by side."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(device)
    # The last step is evaluated and probed whatever the settings say, so that one step needs as much as any.
    tried = change(recipe, {"training.batch_size": batch_size, "training.steps": 1})
    try:
        for _ in train(tried, bank, perceptual=perceptual, device=device):
            pass
    except Exception as error:
        if is_out_of_memory(error):
            return False
        if not isinstance(error, NonFiniteError):  # which came after all the memory was had
            raise
    return True
