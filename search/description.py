"""What a run is, in Markdown: MLflow shows it above the run's parameters."""

from collections.abc import Mapping

from model.recipe import Recipe
from model.settings import flatten
from search.space import LOSSES

#: What a run of each role is for.
PURPOSE = {
    "trial": "a short training that tries settings",
    "confirm": "a repeat of a trial's settings with another seed",
    "full": "the long training of a study's winner",
    "train": "one training of the settings as they stood",
}

ARTIFACTS = """\
- `summary.html`: curves, strips over the steps, the worst and the best clips
- `diagnosis.md`: what is wrong, why, and what to set instead (`diagnosis.zh.md`: the same in Chinese)
- `evaluation.json`: the scores of every clip, beside those of trivial outputs and of the reference
- `checkpoint/`: weights and `clips.mp4`, input beside output, of the runs that keep them
- `conf.toml`: the settings, for `--config`
"""


def describe_training(role: str, recipe: Recipe, tags: Mapping[str, str]) -> str:
    """Say what a training is, what it was set to, and which of its artifacts to look at.

    Args:
        role: of the run.
        recipe: of the training.
        tags: of the run; `study` and `baseline` are told where they are there.
    """
    named = PURPOSE[role]
    if "baseline" in tags:
        named = f"the settings `{tags['baseline']}`, which every study tries for comparison"
    place = f" of the study `{tags['study']}`" if "study" in tags else ""
    weights = " · ".join(f"{name} {getattr(recipe.losses, name):.4g}" for name in LOSSES)
    return (
        f"**{role.capitalize()}**{place}: {named}. {recipe.training.steps} steps, scored on fixed validation clips by "
        f"`score` = 50·PSNR/40 + 50·SSIM.\n\n"
        f"Loss weights: {weights}. Learning rate {recipe.optimizer.learning_rate:.4g}, schedule {recipe.schedule.kind}, "
        f"seed {recipe.training.seed}.\n\nAmong its artifacts:\n{ARTIFACTS}"
    )


def describe_study(name: str, recipe: Recipe) -> str:
    """Say what a study is, and which of its artifacts to look at."""
    fixed = flatten(recipe)
    return (
        f"**Study** `{name}`: trials of {recipe.training.steps} steps that search the five loss weights, the learning rate and "
        f"the schedule. Every trial is a child of this run and has the same network ({fixed['network.variant']}, width "
        f"{fixed['network.width']:g}), clips and reference (`{fixed['reference.source']}`). The objective is `score` = "
        "50·PSNR/40 + 50·SSIM.\n\nAmong its artifacts:\n"
        "- `report.html`: what won, by how much, and whether to believe it\n"
        "- `diagnosis.md`: what is wrong with the study, and what to set instead (`diagnosis.zh.md`: the same in Chinese)\n"
        "- `ranking.csv`: all finished trials, the best first\n"
        "- `best.toml`: the settings of the best, for `--config`\n"
    )
