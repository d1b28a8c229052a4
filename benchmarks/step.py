"""python -m benchmarks.step: milliseconds of one training step, run in three ways."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.bare import measure_loop
from benchmarks.clock import wait_for
from benchmarks.floor import LOSS_SETS, floor_of_step
from benchmarks.inputs import decode_all_frames, find_perceptual, random_bank
from benchmarks.kernels import measure_kernels
from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from rich.table import Table

    from model.evaluation.perceptual import Perceptual
    from model.recipe import Recipe
    from model.training.device_step import DeviceStep

#: Steps that are timed together, and before them. The clock runs once around all of them, so that nothing waits in between.
STEPS, WARMUP_STEPS = 100, 5
#: The public notebook's clips (facts: batch 16, 12 frames, 64 px); no variant of the project takes that length.
NOTEBOOK = {"frames": 12, "crop_px": 64}, {"batch_size": 16}

WAYS = ("eager", "graph", "compiled graph")


def main(
    notebook: Annotated[
        bool,
        typer.Option("--notebook", help="The public notebook's shape: batch 16, 12 frames, 64 px, all 12 decoded."),
    ] = False,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Steps that are timed together.")] = STEPS,
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Time a step with three losses (encoder, decoder, seraena) and with all five: kernel by kernel, as a CUDA graph, compiled.

    On a CPU, where steps are eager, the training loop is compared with bare forward-backward-steps too.

    Example: python -m benchmarks.step --profile h100 --notebook --out step.json
    """
    from model.recipe import Recipe
    from model.settings import build, read_tables
    from model.training.device import resolve_device

    console = make_console()
    recipe = build(Recipe, read_tables(config, resolve_profile(profile, speaker(console)), set_ or ()))
    device = resolve_device(recipe.training.device)
    perceptual, recipe = find_perceptual(recipe, device, speaker(console))
    recipe = notebook_shape(recipe) if notebook else recipe
    rows = measure_all(recipe, perceptual, device, steps, notebook, speaker(console))
    loop = measure_loop(recipe, perceptual, device) if device.type == "cpu" and not notebook else {}
    machine = describe_machine(device)
    console.print(to_table(machine, recipe, rows))
    if loop:
        console.print(
            f"the training loop takes {loop['loop_to_bare']:.3f} times as long as bare steps, {loop['with_probes']:.3f} "
            "times with its probes"
        )
    write_result(out, machine, {"shape": shape_of(recipe), "steps": steps, "rows": rows, **loop})


def notebook_shape(recipe: "Recipe") -> "Recipe":
    """The recipe at the notebook's shape, past the rule that a clip has 8k+1 frames."""
    data, training = NOTEBOOK
    return recipe.model_copy(
        update={"data": recipe.data.model_copy(update=data), "training": recipe.training.model_copy(update=training)}
    )


def measure_all(
    recipe: "Recipe",
    perceptual: "Perceptual | None",
    device: "torch.device",
    steps: int,
    notebook: bool,
    say: "Callable[[str], None]",
) -> list[dict[str, Any]]:
    """Time every loss set in every way that the device knows, slowest first."""
    from model.training.capture import capture, compile_step, open_feed_of, prepare_step

    feed = open_feed_of(random_bank(recipe), recipe, device)
    rows = []
    for losses, names in LOSS_SETS.items():
        names = tuple(name for name in names if name != "perceptual" or perceptual is not None)
        floor = floor_of_step(recipe, names)
        for way in WAYS if device.type == "cuda" else WAYS[:1]:
            started = time.perf_counter()
            step = prepare_step(recipe, feed, perceptual, names)
            if notebook:
                decode_all_frames(step.state.model, step.rounded)
            if way == "compiled graph":
                compile_step(step, recipe)
            once: Callable[[], object] = capture(step).replay if way != "eager" else step
            wait_for(device)
            preparation_s = time.perf_counter() - started
            row = measure(step, once, recipe, device, steps)
            rows.append({"losses": losses, "way": way, **row, "preparation_s": preparation_s, "floor": floor})
            say(f"{losses} losses, {way}: {row['step_ms']:.2f} ms")
    return rows


def measure(
    step: "DeviceStep", once: "Callable[[], object]", recipe: "Recipe", device: "torch.device", steps: int
) -> dict[str, Any]:
    """Take steps as training does, each with controls of its own; milliseconds a step, and on CUDA what the GPU did in them."""

    def take(number: int) -> None:
        for index in range(number):
            set_controls(step, index, recipe)
            once()

    take(WARMUP_STEPS)
    wait_for(device)
    started = time.perf_counter()
    take(steps)
    wait_for(device)
    seconds = time.perf_counter() - started
    measured = {"step_ms": 1000 * seconds / steps}
    return measured | (measure_kernels(lambda: take(WARMUP_STEPS), WARMUP_STEPS) if device.type == "cuda" else {})


def set_controls(step: "DeviceStep", index: int, recipe: "Recipe") -> None:
    """Draw for a step and tell the device."""
    from model.training.batches import draw

    draws = draw(index, len(step.feed.clips), recipe.data.frames, recipe)
    step.controls.set(index, step.feed.place(draws.clips), draws, recipe)


def shape_of(recipe: "Recipe") -> dict[str, Any]:
    """What the times belong to."""
    return {
        "batch_size": recipe.training.batch_size,
        "frames": recipe.data.frames,
        "crop_px": recipe.data.crop_px,
        "precision": recipe.training.precision,
        "width": recipe.network.width,
    }


def to_table(machine: dict[str, Any], recipe: "Recipe", rows: list[dict[str, Any]]) -> "Table":
    """The numbers for people."""
    shape = shape_of(recipe)
    title = f"{name_machine(machine)}; batch {shape['batch_size']}, {shape['frames']} frames, {shape['crop_px']} px"
    table = make_table(
        title, "losses", "way", "ms a step", "kernels", "kernel ms", "TFLOP/s", "floor GFLOP", "floor MB"
    )
    for row in rows:
        flop, moved = row["floor"]["flop"], row["floor"]["bytes"]
        table.add_row(
            row["losses"],
            row["way"],
            f"{row['step_ms']:.2f}",
            f"{row['kernels']:.0f}" if "kernels" in row else "-",
            f"{row['kernel_ms']:.2f}" if "kernel_ms" in row else "-",
            f"{flop / row['step_ms'] / 1e9:.1f}",
            f"{flop / 1e9:.0f}",
            f"{moved / 1e6:.0f}",
        )
    return table


if __name__ == "__main__":
    run(main)
