"""What the eager training loop costs above the bare work of its steps."""

import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from benchmarks.inputs import random_bank

if TYPE_CHECKING:
    import torch

    from model.bank import Bank
    from model.evaluation.perceptual import Perceptual
    from model.recipe import Recipe
    from model.training.state import TrainState

#: Pairs of a block of bare steps and a block of the loop's; a block is what lies between two measurements of the loop.
BLOCKS = 25


def measure_loop(recipe: "Recipe", perceptual: "Perceptual | None", device: "torch.device") -> dict[str, Any]:
    """Time blocks of bare steps and of the loop's in turn, in seconds of this process' CPU; for a CPU alone.

    A bare step is forward, losses, backward and optimizer, and the critic's own step, on batches that lie ready. The loop
    draws and cuts its batches, measures the gradient, clips it, keeps the average, looks at every value, takes its probes and
    names what it measured; evaluations and checkpoints are not in it.

    Returns:
        "loop_to_bare": the median over pairs of their ratio, "with_probes": the ratio of the sums.
    """
    from model.training.loop import measure_steps
    from model.training.state import start_state
    from model.training.stepping import EagerSteps

    bank = random_bank(recipe)
    endless = recipe.model_copy(update={"training": recipe.training.model_copy(update={"steps": 10**9})})
    endless = endless.model_copy(
        update={"training": endless.training.model_copy(update={"evaluate_every": 10**9, "checkpoint_every": 10**9})}
    )
    stepping = EagerSteps(start_state(endless, device), endless, bank, perceptual, device)
    loop = measure_steps(stepping, endless, bank, perceptual, device, None)
    bare = bare_steps(start_state(endless, device), endless, bank, perceptual, device)

    def bare_block() -> None:
        for _ in range(recipe.training.log_every):
            next(bare)

    pairs = [(cpu_seconds(bare_block), cpu_seconds(lambda: next(loop))) for _ in range(BLOCKS + 1)][1:]
    bare_s, loop_s = zip(*pairs, strict=True)
    return {
        "loop_to_bare": statistics.median(ours / plain for plain, ours in pairs),
        "with_probes": sum(loop_s) / sum(bare_s),
        "blocks": BLOCKS,
    }


def bare_steps(
    state: "TrainState", recipe: "Recipe", bank: "Bank", perceptual: "Perceptual | None", device: "torch.device"
) -> Iterator[None]:
    """Take steps for ever, one at each `next`, as a plain loop does: no clipping, average or checks, torch's own optimizer."""
    import torch

    from model.training.batches import take_batch
    from model.training.losses import weigh
    from model.training.step import run_forward, train_critic

    optimizer = torch.optim.AdamW(state.model.parameters(), lr=recipe.optimizer.learning_rate, fused=True)
    for batch in itertools.cycle([take_batch(bank, step, recipe, device) for step in range(4)]):
        forward = run_forward(state, batch, recipe, perceptual)
        optimizer.zero_grad()
        sum(weigh(forward.losses, recipe.losses).values()).backward()  # type: ignore[union-attr]  # never the int 0
        optimizer.step()
        assert forward.judged is not None
        train_critic(state, forward.judged, batch, recipe.training.precision)
        yield


def cpu_seconds(work: Callable[[], object]) -> float:
    """Seconds of CPU time of this process that some work takes."""
    started = time.process_time()
    work()
    return time.process_time() - started
