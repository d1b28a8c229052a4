"""python -m benchmarks.noise: how far apart trainings of one setting end."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.result import OutOption, describe_machine, make_table, name_machine, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from rich.table import Table

    from model.recipe import Recipe

#: What is compared, as the record names it.
SCORES = ("val/psnr", "val/ssim", "val/lpips")
SAME, OTHER = "the same seed", "a seed each"


def main(
    repeats: Annotated[int, typer.Option("--repeats", min=2, help="Trainings of each kind.")] = 5,
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Train one setting several times with one seed, and several times with other seeds, and compare the last scores.

    Trials of a study share seed, initial weights and order of batches: what is left between two of the same setting is the
    first kind, what a full run with another seed may show is the second.

    Example: python -m benchmarks.noise --profile h100 --set data.source=/path/to/videos
    """
    from model.recipe import Recipe
    from model.settings import build, read_tables
    from model.training.device import resolve_device

    console = make_console()
    recipe = build(Recipe, read_tables(config, resolve_profile(profile, speaker(console)), set_ or ()))
    device = resolve_device(recipe.training.device)
    result = measure_noise(recipe, device, repeats, speaker(console))
    machine = describe_machine(device)
    console.print(to_table(machine, recipe, result))
    write_result(out, machine, {"source": recipe.data.source, "steps": recipe.training.steps} | result)


def measure_noise(
    recipe: "Recipe", device: "torch.device", repeats: int, say: "Callable[[str], None]"
) -> dict[str, list[dict[str, float]]]:
    """The last scores of every training, in the two kinds."""
    from benchmarks.inputs import find_perceptual
    from model.bank import build_bank
    from model.settings import change
    from model.training.capture import Captures
    from model.training.loop import train

    bank, captures = build_bank(recipe, device, say), Captures()
    perceptual, recipe = find_perceptual(recipe, device, say)

    def score(seed: int) -> dict[str, float]:
        changed = change(recipe, {"training.seed": seed})
        *_, last = train(changed, bank, perceptual=perceptual, device=device, captures=captures)
        say(f"seed {seed}: {last.values['val/psnr']:.3f} dB")
        return {name: last.values[name] for name in SCORES if name in last.values}

    first = recipe.training.seed
    seeds = {SAME: [first] * repeats, OTHER: [first + 1 + number for number in range(repeats)]}
    return {kind: [score(seed) for seed in chosen] for kind, chosen in seeds.items()}


def to_table(machine: dict[str, Any], recipe: "Recipe", result: Mapping[str, Sequence[Mapping[str, float]]]) -> "Table":
    """Mean, standard deviation and range of each score."""
    table = make_table(
        f"{name_machine(machine)}; {recipe.training.steps} steps",
        "trainings with",
        "score",
        "mean",
        "deviation",
        "range",
    )
    for kind, scores in result.items():
        for name in scores[0]:
            values = [each[name] for each in scores]
            table.add_row(
                f"{kind}, {len(values)}",
                name,
                f"{statistics.mean(values):.4f}",
                f"{statistics.stdev(values):.4f}",
                f"{max(values) - min(values):.4f}",
            )
    return table


if __name__ == "__main__":
    run(main)
