"""python -m model.evaluate: score a checkpoint on a set of clips."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from model.cli import ConfigOption, DebugOption, ProfileOption, SetOption, resolve_profile, run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch
    from rich.console import Console
    from torch import Tensor

    from model.data.settings import DataSettings
    from model.evaluation.evaluation import Reconstruct
    from model.evaluation.perceptual import Perceptual
    from model.evaluation.scores import Scores
    from model.network.settings import NetworkSettings
    from model.recipe import Recipe


def main(
    checkpoint: Annotated[Path, typer.Argument(help="Weights of ours or released ones: .safetensors, .pth or .pt.")],
    data: Annotated[
        Path | None,
        typer.Option("--data", help="Folder of videos or annotation file, all of it; default: the validation clips."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for the results; default: NAME-evaluation beside the checkpoint NAME."),
    ] = None,
    config: ConfigOption = Path("conf.toml"),
    profile: ProfileOption = "auto",
    set_: SetOption = None,
    debug: DebugOption = False,
) -> None:
    """Score a checkpoint, print its metrics beside those of trivial outputs, write evaluation.json and pictures.

    Our own checkpoints say what network they are; for others the settings' network table must.
    Example: python -m model.evaluate taew2_1.pth --data videos --set network.width=1
    """
    from rich.console import Console

    from model.recipe import Recipe
    from model.settings import build, merge, read_tables

    console = Console(highlight=False, markup=False, soft_wrap=True)  # names of files may hold brackets and be long
    tables = read_tables(config, resolve_profile(profile, console.print), set_ or ())
    if data is not None:
        merge(tables, {"data": {"source": str(data)}})
    out = out or checkpoint.with_name(f"{checkpoint.stem}-evaluation")
    score_checkpoint(checkpoint, build(Recipe, tables), data is not None, out, console)


def score_checkpoint(checkpoint: Path, recipe: "Recipe", every_video: bool, out: Path, console: "Console") -> None:
    """Load, score, print and write.

    Raises:
        ValueError: the checkpoint, the settings or the data break a rule.
        OSError: the results cannot be written.
    """
    from model.evaluation.baselines import baselines
    from model.evaluation.evaluation import evaluate
    from model.evaluation.over_sources import with_intervals_over_sources
    from model.evaluation.table import remarks, to_table
    from model.network.placement import place
    from model.network.taehv import TAEHV, check_size
    from model.network.weights import fingerprint, load_weights
    from model.training.device import resolve_device

    recipe = recipe.model_copy(update={"network": network_of(checkpoint, recipe.network, console.print)})
    device = resolve_device(recipe.training.device)
    model = TAEHV(recipe.network)
    check_size(recipe.data.crop_px, recipe.data.crop_px, model.space_stride)
    load_weights(model, checkpoint)
    place(model, device)
    make_folder(out)
    perceptual = find_perceptual(recipe.evaluation.lpips, device, console.print)
    clips, sources = (cut_every_video if every_video else cut_validation)(recipe.data, console.print)
    names = tuple(sources)

    def reconstruct(video: "Tensor") -> "Tensor":
        return model.decode(model.encode(video))

    with console.status(f"scoring {len(clips)} clips on {device}"):
        scores = evaluate(reconstruct, clips, names, recipe.evaluation, perceptual, device)
        scores = with_intervals_over_sources(scores, sources, recipe.evaluation.bootstrap_resamples)
        floors = baselines(clips, names, recipe.evaluation, perceptual, device)
    console.print(to_table(title_of(checkpoint.name, sources), scores, floors))
    for remark in remarks(scores, floors):
        console.print(f"warning: {remark}")
    provenance = {
        "checkpoint": str(checkpoint),
        "weights": fingerprint(model.state_dict()),
        "lpips_weights": perceptual.weights_hash if perceptual else None,
        "sources": len(set(sources.values())),
        "clips_digest": hashlib.sha256(clips.numpy().tobytes()).hexdigest()[:12],
        "settings": recipe.model_dump(mode="json", include={"data", "network", "evaluation"}),
        "baselines": {name: floor.to_json() for name, floor in floors.items()},
    }
    (out / "evaluation.json").write_text(json.dumps(scores.to_json() | provenance, indent=1), encoding="utf-8")
    draw_strips(out / "pictures", reconstruct, clips, scores, recipe.evaluation.pictures, device)
    console.print(f"written: {out / 'evaluation.json'} and {out / 'pictures'}")


def title_of(name: str, sources: "Mapping[str, str]") -> str:
    """Say what was scored on what, and over what its intervals are."""
    count = len(set(sources.values()))
    drawn = (
        f"{count} sources, over which the intervals are" if count > 1 else "one source; the intervals are over clips"
    )
    return f"{name} on {len(sources)} clips of {drawn}"


def make_folder(out: Path) -> None:
    """Make the folder of the results before anything is computed for it.

    Raises:
        OSError: it cannot be made.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OSError(
            f"results need a folder, but {out} cannot be made ({error.strerror}); give another with --out"
        ) from error


def network_of(checkpoint: Path, settings: "NetworkSettings", say: "Callable[[str], None]") -> "NetworkSettings":
    """The network settings that one of our checkpoints carries, else those of the settings file.

    Raises:
        ValueError: the file cannot be read, or carries settings that this version does not know.
    """
    import safetensors

    from model.network.settings import NetworkSettings

    if checkpoint.suffix != ".safetensors" or not checkpoint.is_file():
        return settings
    try:
        with safetensors.safe_open(checkpoint, framework="pt") as file:
            metadata = file.metadata() or {}
    except safetensors.SafetensorError as error:
        raise ValueError(f"{checkpoint} must be a safetensors file, but {error}; fetch or save it again") from error
    if "network" not in metadata:
        return settings
    network = NetworkSettings.model_validate_json(metadata["network"])
    say(
        f"network: {network.variant}, width {network.width:g}, as the checkpoint says; [network] of the settings is not used"
    )
    return network


def find_perceptual(backbone: str, device: "torch.device", say: "Callable[[str], None]") -> "Perceptual | None":
    """Load LPIPS, or say that it cannot be had."""
    from model.evaluation.perceptual import PerceptualUnavailable, load_perceptual

    try:
        return load_perceptual(backbone, device)
    except PerceptualUnavailable as error:
        say(f"no LPIPS: val/lpips and val/overall are absent. {error}")
        return None


def cut_validation(settings: "DataSettings", say: "Callable[[str], None]") -> "tuple[Tensor, dict[str, str]]":
    """The validation clips of the settings, those that trials are scored on, and the source of each by its name."""
    from model.data.clip_sources import match_sources
    from model.data.clips import load_clips

    clips = load_clips(settings.model_copy(update={"training_clips": 1}), say)
    return clips.validation, match_sources(clips.validation_names, clips.manifest)


def cut_every_video(settings: "DataSettings", say: "Callable[[str], None]") -> "tuple[Tensor, dict[str, str]]":
    """Clips of every video, none left out for training, each video with the same number of clips; cut as validation clips are."""
    from model.data.clip_sources import match_sources
    from model.data.crops import cut_clips, validation_cuts
    from model.data.files import read_files
    from model.data.parallel import worker_count

    videos, _ = read_files(settings, say)
    clips_each = -(-settings.validation_clips // len(videos))
    for_one = settings.model_copy(update={"validation_clips": clips_each})
    cuts = [cut for video in videos for cut in validation_cuts([video], for_one)]
    manifest = [{"name": video.name, "source": video.source} for video in videos]
    say(f"data: {len(cuts)} clips, {clips_each} of each video")
    return cut_clips(cuts, settings, worker_count(settings)), match_sources([cut.name for cut in cuts], manifest)


def draw_strips(
    folder: Path, reconstruct: "Reconstruct", clips: "Tensor", scores: "Scores", count: int, device: "torch.device"
) -> None:
    """Write first.png and worst.png: strips of the first clips and of those with the lowest PSNR, the worst at the top."""
    import torch
    from PIL import Image

    from model.data.pixels import to_unit
    from model.evaluation.strips import strip

    if count == 0:
        return
    folder.mkdir(exist_ok=True)
    by_psnr = sorted(range(len(clips)), key=lambda index: scores.clips[index].psnr)
    for name, indices in {"first": range(len(clips)), "worst": by_psnr}.items():
        chosen = clips[list(indices[:count])]
        with torch.inference_mode():
            outputs = reconstruct(to_unit(chosen.to(device)))
        Image.fromarray(strip(chosen, outputs, count)).save(folder / f"{name}.png")


if __name__ == "__main__":
    run(main)
