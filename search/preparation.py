"""What every training needs before its first step: a record, a bank, LPIPS or the word that it is missing, yardsticks."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from model.bank import Bank, build_bank
from model.bank_size import latents_dtype
from model.evaluation.perceptual import Perceptual, PerceptualUnavailable, load_perceptual
from model.evaluation.scores import Scores
from model.evaluation.yardsticks import measure_yardsticks
from model.network.taehv import TAEHV
from model.network.weights import load_weights
from model.preflight.report import Preflight
from model.recipe import Recipe
from model.training.device import check_precision, resolve_device
from model.training.feed import state_place
from search.settings import Settings, recipe_of
from tracking.store import Store, open_store


@dataclass(frozen=True)
class Preparation:
    """The record and all that trainings share.

    `preflight` is what was measured before the first of them, `forced` the codes of the errors in it that the person went
    on with.
    """

    store: Store
    bank: Bank
    device: torch.device
    perceptual: Perceptual | None
    yardsticks: dict[str, Scores]
    preflight: Preflight | None = None
    forced: tuple[str, ...] = ()


def prepare(settings: Settings, say: Callable[[str], None], *, to_train: bool = True) -> Preparation:
    """Open the record first (it must be writable before anything is spent), then make the bank and the yardsticks.

    Args:
        settings: of the study or run.
        say: prints a line.
        to_train: False where a record is only looked at, which a machine can that could not train.

    Raises:
        ValueError: settings or data break a rule, or could not be trained where that is meant.
        RuntimeError: the record cannot be used.
    """
    store = open_store(settings.tracking, say)
    device = resolve_device(settings.training.device)
    perceptual = find_perceptual(settings, device, say)
    if to_train:
        check_start(recipe_of(settings), device)
    bank = build_bank(recipe_of(settings), device, say)
    say(
        f"bank: {len(bank.training)} training and {len(bank.validation)} validation clips of "
        f"{settings.data.frames} frames at {settings.data.crop_px} px, digest {bank.digest}"
    )
    if to_train and device.type == "cuda":
        say(state_place(bank, device, latents_dtype(recipe_of(settings))))
    yardsticks = measure_yardsticks(bank, settings.evaluation, perceptual, device)
    return Preparation(store, bank, device, perceptual, yardsticks)


def check_start(recipe: Recipe, device: torch.device) -> None:
    """Refuse what no training could start with, before anything is spent on it.

    Raises:
        ValueError: the precision needs another device, or network.weights cannot be loaded.
    """
    check_precision(recipe.training.precision, device)
    if recipe.network.weights:
        load_weights(TAEHV(recipe.network), Path(recipe.network.weights))


def find_perceptual(settings: Settings, device: torch.device, say: Callable[[str], None]) -> Perceptual | None:
    """Load LPIPS, or say once and plainly that it cannot be had."""
    try:
        return load_perceptual(settings.evaluation.lpips, device)
    except PerceptualUnavailable as error:
        say(f"no LPIPS: val/lpips and val/overall are absent and the perceptual loss is not searched. {error}")
        return None


def running_folder(store: Store) -> Path:
    """Where trainings keep their own files while they run."""
    return store.root / "running"
