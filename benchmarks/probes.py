"""python -m benchmarks.probes: what the probes cost."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from collections.abc import Callable

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
    out: Annotated[Path | None, typer.Option("--out", help="Write the numbers to this JSON file.")] = None,
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
    console.print(to_table(result))
    if out is not None:
        out.write_text(json.dumps(result, indent=2) + "\n")


def find_perceptual(
    recipe: "Recipe", device: "torch.device", say: "Callable[[str], None]"
) -> "tuple[Perceptual | None, Recipe]":
    """Load LPIPS; where it cannot be had say so, and leave its loss out of the settings."""
    from model.evaluation.perceptual import PerceptualUnavailable, load_perceptual

    try:
        return load_perceptual(recipe.evaluation.lpips, device), recipe
    except PerceptualUnavailable as error:
        say(f"no LPIPS: the steps are timed without the perceptual loss. {error}")
        return None, recipe.model_copy(update={"losses": recipe.losses.model_copy(update={"perceptual": 0.0})})


def measure_cost(recipe: "Recipe", perceptual: "Perceptual | None", device: "torch.device") -> dict[str, Any]:
    """Take plain and probed steps in turn; times are medians in milliseconds, cost_share is of a whole training."""
    import statistics

    import torch

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
        "device": torch.cuda.get_device_name(device)
        if device.type == "cuda"
        else f"cpu, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
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
    import time

    import torch

    from model.training.batches import take_batch
    from model.training.step import take_step

    wait = torch.cuda.synchronize if device.type == "cuda" else lambda _device: None
    batch = take_batch(bank, state.step, recipe, device)
    wait(device)
    started = time.perf_counter()
    take_step(state, batch, recipe, perceptual, probe=probe)
    wait(device)
    return time.perf_counter() - started


def random_bank(recipe: "Recipe") -> "Bank":
    """Noise in the shapes of a real bank: a step costs the same whatever its pictures show."""
    import torch

    from model.bank import Bank
    from model.data.pixels import to_unit
    from model.network.variants import architecture

    shape, data = architecture(recipe.network), recipe.data
    generator = torch.Generator().manual_seed(0)
    clips, side_px = 4 * recipe.training.batch_size, data.crop_px
    training = torch.randint(256, (clips, data.frames, 3, side_px, side_px), dtype=torch.uint8, generator=generator)
    times, places = (data.frames - 1) // shape.time_stride + 1, side_px // shape.space_stride
    latents = torch.randn(clips, times, shape.latent_channels, places, places, generator=generator)
    return Bank(
        training=training,
        training_latents=latents,
        validation=training[:1],
        validation_round_trip=to_unit(training[:1]),
        validation_names=("noise",),
        digest="noise",
        facts={},
        path=Path("noise"),
    )


def to_table(result: dict[str, Any]) -> "Table":
    """The numbers for people."""
    from rich import box
    from rich.table import Table

    losses = "five losses" if result["perceptual"] else "four losses, no LPIPS"
    title = f"{result['device']}, torch {result['torch']}, {losses}, medians of {result['rounds']} steps"
    table = Table(title=title, title_justify="left", header_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("step", "step with probe", "ratio", "probe every", "share of a training"):
        table.add_column(heading, justify="right", no_wrap=True)
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
