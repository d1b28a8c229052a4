"""Fresh clips for a long training: every so many steps another generation of crops, cut from all training videos.

Which generation a step sees is a function of the step alone, and what a generation holds one of the settings: a resumed
training needs no position in it. Generation 0 is the bank.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import Tensor

from model.bank import Bank, reference_of
from model.data.clips import plan_clips
from model.data.crops import Cut, cut_alone, training_cuts
from model.data.pixels import to_unit
from model.recipe import Recipe


class Renewal:
    """Prepares generations beside the training, one ahead, on a thread that is there from the first call to `close`.

    Args:
        recipe: whose training.renew_every is above 0.
        bank: generation 0.
        device: where the reference encodes, on a stream of its own.

    Raises:
        ValueError: the videos or the reference are others than those of the bank.
    """

    def __init__(self, recipe: Recipe, bank: Bank, device: torch.device) -> None:
        assert recipe.training.renew_every > 0, "nothing is to be renewed"
        plan = plan_clips(recipe.data, lambda _line: None)
        if plan.digest != bank.digest:
            raise ValueError(
                f"clips must be renewed from the videos of their bank, digest {bank.digest}, but data.source now has "
                f"{plan.digest}; bring the videos back, or begin anew"
            )
        self.recipe, self.bank, self.device = recipe, bank, device
        self.videos = plan.training_videos
        self.reference = reference_of(bank, recipe, device)
        self.stream = torch.cuda.Stream(device) if device.type == "cuda" else None
        if self.stream:
            self.stream.wait_stream(torch.cuda.current_stream(device))  # which is still bringing the reference there
        self.last = self.generation_of(recipe.training.steps - 1)
        self.ahead: dict[int, Future[Bank]] = {}
        self.stopping = threading.Event()
        self.thread = ThreadPoolExecutor(1, "renewal")

    def generation_of(self, step: int) -> int:
        """The generation that the step after `step` finished ones sees."""
        return step // self.recipe.training.renew_every

    def at(self, step: int) -> Bank:
        """The bank that the step after `step` finished ones sees; waits for it, and has the next one begun.

        Raises:
            OSError: a decoded video cannot be read any more.
            RuntimeError: the device has no room for a batch of the reference.
        """
        generation = self.generation_of(step)
        bank = self.begin(generation).result() if generation else self.bank
        self.ahead = {number: future for number, future in self.ahead.items() if number >= generation}
        if generation < self.last:
            self.begin(generation + 1)
        return bank

    def begin(self, generation: int) -> "Future[Bank]":
        """Have a generation prepared, unless it is under way."""
        if generation not in self.ahead:
            self.ahead[generation] = self.thread.submit(self.prepare, generation)
        return self.ahead[generation]

    def prepare(self, generation: int) -> Bank:
        """Cut and encode the clips of a generation, batch by batch."""
        cuts, batch_size = training_cuts(self.videos, self.recipe.data, generation), self.recipe.training.batch_size
        clips, latents = torch.empty_like(self.bank.training), torch.empty_like(self.bank.training_latents)
        for first in range(0, len(cuts), batch_size):
            if self.stopping.is_set():
                break  # nobody will ask for it
            rows = slice(first, first + batch_size)
            clips[rows], latents[rows] = self.make(cuts[rows])
        return replace(self.bank, training=clips, training_latents=latents)

    def make(self, cuts: list[Cut]) -> tuple[Tensor, Tensor]:
        """Clips (uint8) of some cuts and their latents (float32), on the CPU."""
        # One after the other: several threads would need torch's threads turned off (model/data/parallel.py), which the
        # training uses meanwhile; and on a stream of its own a batch does not wait for all steps that are queued.
        clips = cut_alone(cuts, self.recipe.data)
        with torch.no_grad(), torch.cuda.stream(self.stream) if self.stream else nullcontext():
            return clips, self.reference.encode(to_unit(clips.to(self.device))).cpu()

    def close(self) -> None:
        """End the thread, after the batch that it is at."""
        self.stopping.set()
        self.thread.shutdown(cancel_futures=True)
