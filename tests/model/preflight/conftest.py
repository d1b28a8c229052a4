"""A tiny recipe and its real bank of demo clips."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.bank import Bank, build_bank
from model.recipe import Recipe
from model.settings import build, read_tables
from model.training.state import TrainState, start_state
from tests.commands import ROOT, TINY

CPU = torch.device("cpu")


@pytest.fixture(scope="session")
def recipe(cache_dir: Path) -> Callable[..., Recipe]:
    """Settings of four steps without LPIPS; takes further changes."""
    fixed = (*TINY, f"data.cache_dir={cache_dir}", "data.training_clips=16", "losses.perceptual=0")

    def make(*changes: str) -> Recipe:
        return build(Recipe, read_tables(ROOT / "conf.toml", "cpu", [*fixed, *changes]))

    return make


@pytest.fixture(scope="session")
def bank(recipe: Callable[..., Recipe]) -> Bank:
    return build_bank(recipe(), CPU, lambda _line: None)


@pytest.fixture
def state(recipe: Callable[..., Recipe]) -> TrainState:
    return start_state(recipe(), CPU)
