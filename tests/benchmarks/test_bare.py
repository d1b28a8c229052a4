from collections.abc import Callable

import torch

from benchmarks.bare import bare_steps, cpu_seconds, measure_loop
from benchmarks.inputs import random_bank
from model.training.batches import take_batch
from model.training.losses import weigh
from model.training.state import start_state
from model.training.step import run_forward

CPU = torch.device("cpu")


def test_bare_steps_train(tiny: Callable) -> None:
    """On the same four batches again and again the sum of the losses falls."""
    settings = tiny("losses.perceptual=0")
    bank, state = random_bank(settings), start_state(settings, CPU)
    batch = take_batch(bank, 0, settings, CPU)

    def total() -> float:
        losses = run_forward(state, batch, settings, None).losses
        return sum(loss.item() for loss in weigh(losses, settings.losses).values())

    before = total()
    steps = bare_steps(state, settings, bank, None, CPU)
    for _ in range(12):
        next(steps)
    assert total() < before


def test_the_loop_is_compared_with_them(tiny: Callable) -> None:
    result = measure_loop(tiny("training.log_every=1", "losses.perceptual=0"), None, CPU)
    assert result["loop_to_bare"] > 0.5
    assert result["with_probes"] > 0.5
    assert result["blocks"] == 25


def test_seconds_of_the_cpu_are_those_of_the_work() -> None:
    assert cpu_seconds(lambda: sum(range(10**6))) > cpu_seconds(lambda: None)
