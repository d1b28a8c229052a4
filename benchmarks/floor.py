"""python -m benchmarks.floor: what one step must compute and move at least, counted and not timed."""

import math
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.cost import Cost, add, count
from benchmarks.inputs import decode_all_frames
from benchmarks.result import OutOption, describe_machine, make_table, write_result
from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, make_console, resolve_profile, run, speaker

if TYPE_CHECKING:
    from rich.table import Table
    from torch import Tensor, nn

    from model.recipe import Recipe

#: Bytes moved for each parameter, all float32: the weight read and written, its gradient written and read, both moments of
#: AdamW read and written. The network's average adds a read and a write.
OPTIMIZER_BYTES, AVERAGE_BYTES = 4 * (2 + 2 + 4), 4 * 2

#: Loss sets whose floors are shown: the public notebook's own work, and all five.
LOSS_SETS = {
    "three": ("encoder", "decoder", "seraena"),
    "five": ("encoder", "decoder", "reconstruction", "perceptual", "seraena"),
}


def main(
    out: OutOption = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Count what a step of the settings must compute and move, with three losses and with five.

    Example: python -m benchmarks.floor --profile h100 --set training.batch_size=32
    """
    import torch

    from model.recipe import Recipe
    from model.settings import build, read_tables

    console = make_console()
    recipe = build(Recipe, read_tables(config, resolve_profile(profile, speaker(console)), set_ or ()))
    result = {name: floor_of_step(recipe, losses) for name, losses in LOSS_SETS.items()}
    console.print(to_table(recipe, result))
    write_result(out, describe_machine(torch.device("cpu")), result)


def floor_of_step(recipe: "Recipe", losses: Collection[str]) -> dict[str, Any]:
    """Count the least that one training step with these losses computes and moves; tensors of no memory, so any size counts.

    "flop" is the sum of "flop_of" the encoder, the decoder (once for reference latents, once for its own, as the losses
    ask), the critic (its correction and its own training) and LPIPS, each forward and backward as far as the losses need
    it: convolutions and matrix products, two operations for each multiply-add. Norms, activations, the losses and
    the optimizers are not in it.

    "bytes" is the sum of "bytes_of": "optimizer" (each parameter of network and critic with gradient, moments and
    average, float32, read and written once), "batch" (clips as uint8, reference latents as float32, read once) and
    "activations" (what torch keeps for the backward pass, in the step's precision, written once and read once). Weights
    read by each pass, the replay ring and what a kernel reads more than once are not in it.

    Args:
        recipe: network, critic, batch, clip and precision; its loss weights are not looked at. A clip of whole latents,
            which no training has (12 frames), is decoded with all its frames.
        losses: names out of model.training.settings.LOSSES.
    """
    import torch

    from model.network.critic import Critic
    from model.network.taehv import TAEHV
    from model.network.variants import architecture
    from model.training.settings import LOSSES

    assert set(losses) <= set(LOSSES), losses
    data, clips, shape = recipe.data, recipe.training.batch_size, architecture(recipe.network)
    dtype = torch.bfloat16 if recipe.training.precision == "bfloat16" else torch.float32
    network = TAEHV(recipe.network).to("meta", dtype)
    if data.frames % shape.time_stride == 0:
        decode_all_frames(network)
    video = torch.empty(clips, data.frames, 3, data.crop_px, data.crop_px, device="meta", dtype=dtype)
    with torch.no_grad():
        latents = network.encode(video)
    group, groups = recipe.losses.critic_group_frames, math.ceil(data.frames / recipe.losses.critic_group_frames)
    critic = Critic(3 * group, shape.latent_channels, recipe.losses.critic_width, 0).to("meta", dtype)
    images = video.new_empty(clips * groups, 3 * group, data.crop_px, data.crop_px)

    own = needs(losses, "reconstruction", "perceptual")
    costs: dict[str, Cost] = {}
    if own or needs(losses, "encoder"):
        costs["encoder"] = count(lambda: network.encode(video).sum())
    if needs(losses, "decoder", "seraena"):
        costs["decoder of reference latents"] = count(lambda: network.decode(latents).sum())
    if own:
        costs["decoder of own latents"] = count(lambda: network.decode(latents.requires_grad_()).sum())
    if needs(losses, "seraena"):
        costs["critic"] = add(count_critic(critic, images, latents.detach().mean(1).repeat_interleave(groups, 0)))
    if needs(losses, "perceptual"):
        frames = min(recipe.losses.perceptual_frames, clips * data.frames)
        costs["LPIPS"] = count_perceptual(recipe.evaluation.lpips, frames, data.crop_px)
    return summarise(costs, network, critic if "critic" in costs else None, video, latents)


def needs(losses: Collection[str], *names: str) -> bool:
    """Whether one of these losses is among the step's."""
    return any(name in losses for name in names)


def count_critic(critic: "nn.Module", images: "Tensor", context: "Tensor") -> list[Cost]:
    """The correction (real frames forward, fake ones forward and back to the frames), then a step of the critic."""
    import torch

    def correct() -> "Tensor":
        with torch.no_grad():
            critic(images, context)
        scores: Tensor = critic(images.detach().requires_grad_(), context)
        return scores.sum()

    critic.eval().requires_grad_(False)
    correction = count(correct)
    critic.train().requires_grad_(True)
    return [correction, count(lambda: critic(images, context).sum())]


def count_perceptual(backbone: str, frames: int, side_px: int) -> Cost:
    """LPIPS of float32 frames: the targets forward, the outputs forward and back to the frames."""
    import warnings

    import torch

    from model.network.operators import declare_missing_operators

    declare_missing_operators()
    import lpips  # after the line above; its random trunk costs what the real one does, and needs no file

    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", UserWarning)  # torchvision deprecates how lpips calls it
        network = lpips.LPIPS(net=backbone, pnet_rand=True, verbose=False).requires_grad_(False).eval().to("meta")
    outputs = torch.empty(frames, 3, side_px, side_px, device="meta", requires_grad=True)
    return count(lambda: network(outputs, torch.empty_like(outputs)).sum())


def summarise(
    costs: dict[str, Cost], network: "nn.Module", critic: "nn.Module | None", video: "Tensor", latents: "Tensor"
) -> dict[str, Any]:
    """Add up the parts."""
    parameters = {
        "network": sum(parameter.numel() for parameter in network.parameters()),
        "critic": sum(parameter.numel() for parameter in critic.parameters()) if critic else 0,
    }
    bytes_of = {
        "optimizer": parameters["network"] * (OPTIMIZER_BYTES + AVERAGE_BYTES) + parameters["critic"] * OPTIMIZER_BYTES,
        "batch": video.numel() + 4 * latents.numel(),
        "activations": 2 * sum(cost.saved_bytes for cost in costs.values()),
    }
    flop_of = {name: cost.flop for name, cost in costs.items()}
    return {
        "flop": sum(flop_of.values()),
        "bytes": sum(bytes_of.values()),
        "flop_of": flop_of,
        "bytes_of": bytes_of,
        "parameters": parameters,
    }


def to_table(recipe: "Recipe", result: dict[str, dict[str, Any]]) -> "Table":
    """The counts for people."""
    data, training = recipe.data, recipe.training
    title = f"batch {training.batch_size}, {data.frames} frames, {data.crop_px} px, {training.precision}"
    table = make_table(title, "one step at least", *(f"{name} losses" for name in result))
    for unit, scale, parts in (("GFLOP", 1e9, "flop"), ("MB", 1e6, "bytes")):
        names = list(dict.fromkeys(name for floor in result.values() for name in floor[f"{parts}_of"]))
        for name in names:
            cells = [floor[f"{parts}_of"].get(name) for floor in result.values()]
            table.add_row(f"{name}, {unit}", *("-" if value is None else f"{value / scale:.3g}" for value in cells))
        table.add_row(f"sum, {unit}", *(f"{floor[parts] / scale:.4g}" for floor in result.values()))
    return table


if __name__ == "__main__":
    run(main)
