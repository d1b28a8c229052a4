"""python -m benchmarks.probes: what the probes cost."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.clock import Clock
from benchmarks.inputs import find_perceptual, random_bank
from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    import torch
    from rich.table import Table

    from model.bank import Bank
    from model.evaluation.perceptual import Perceptual
    from model.recipe import Recipe
    from model.training.state import TrainState

#: Pairs of a plain and a probed step. Medians of 25 scatter by a few per cent on a machine that does other work too.
ROUNDS = 25
#: Pairs before them: the first steps choose kernels and make the optimizer's state.
WARMUP_ROUNDS = 3


def main(
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Time training steps with and without a probe on random pictures, and print the probes' share of a training.

    Example: python -m benchmarks.probes --profile cpu --set training.probe_every=25
    """
    from model.recipe import Recipe
    from model.settings import build, read_tables
    from model.training.device import resolve_device

    console = make_console()
    recipe = build(Recipe, read_tables(config, resolve_profile(profile, speaker(console)), set_ or ()))
    device = resolve_device(recipe.training.device)
    perceptual, recipe = find_perceptual(recipe, device, speaker(console))
    result = measure_cost(recipe, perceptual, device)
    machine = describe_machine(device)
    console.print(to_table(machine, result))
    write_result(out, machine, result)


def measure_cost(recipe: "Recipe", perceptual: "Perceptual | None", device: "torch.device") -> dict[str, Any]:
    """Take plain and probed steps in turn; times are medians in milliseconds, cost_share is of a whole training."""
    import statistics

    from model.training.loop import check_recipe
    from model.training.state import start_state

    check_recipe(recipe, perceptual, device)
    bank, state = random_bank(recipe), start_state(recipe, device)
    times: dict[bool, list[float]] = {False: [], True: []}
    for turn in range(WARMUP_ROUNDS + ROUNDS):
        for probe in (False, True):
            seconds = time_step(state, bank, recipe, perceptual, device, probe=probe)
            if turn >= WARMUP_ROUNDS:
                times[probe].append(1000 * seconds)
    plain, probed = statistics.median(times[False]), statistics.median(times[True])
    return {
        "perceptual": perceptual is not None,
        "rounds": ROUNDS,
        "step_ms": plain,
        "probed_step_ms": probed,
        "probe_every": recipe.training.probe_every,
        "cost_share": (probed - plain) / plain / recipe.training.probe_every,
    }


def time_step(
    state: "TrainState",
    bank: "Bank",
    recipe: "Recipe",
    perceptual: "Perceptual | None",
    device: "torch.device",
    *,
    probe: bool,
) -> float:
    """Seconds of one step, the device's work included."""
    from model.training.batches import take_batch
    from model.training.step import take_step

    batch, clock = take_batch(bank, state.step, recipe, device), Clock(device)
    with clock.part("step"):
        take_step(state, batch, recipe, perceptual, probe=probe)
    return clock.seconds["step"]


def to_table(machine: dict[str, Any], result: dict[str, Any]) -> "Table":
    """The numbers for people."""
    losses = "five losses" if result["perceptual"] else "four losses, no LPIPS"
    title = f"{name_machine(machine)}, {losses}, medians of {result['rounds']} steps"
    table = make_table(title, "step", "step with probe", "ratio", "probe every", "share of a training")
    table.add_row(
        f"{result['step_ms']:.1f} ms",
        f"{result['probed_step_ms']:.1f} ms",
        f"{result['probed_step_ms'] / result['step_ms']:.2f}",
        f"{result['probe_every']} steps",
        f"{result['cost_share']:.2%}",
    )
    return table


if __name__ == "__main__":
    run(main)
