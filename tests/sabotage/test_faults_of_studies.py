"""Faults of a study: a space that ends below the best rate, a ranking that is luck; docs/diagnosis-recall.md is the table."""

from pathlib import Path

import pytest
import torch
from rich.console import Console

from model.bank import build_bank
from model.settings import change
from model.training.loop import train
from search.run import search
from search.settings import load_settings, recipe_of
from search.space import LOSSES
from tests.commands import ROOT, TINY
from tests.sabotage.runs import SMALL
from tracking.diagnosis import Evidence, diagnose
from tracking.diagnosis.stored import StudyFacts
from tracking.diagnosis.thresholds import EDGE_TRIALS
from tracking.query import find_runs, read_json
from tracking.store import open_store

CPU = torch.device("cpu")


@pytest.mark.long
def test_a_space_that_ends_below_the_best_rate(folder: Path, cache_dir: Path) -> None:
    """All rates but the highest are too low for anything to happen in a few steps; the author's baseline has the highest."""
    changes = (
        *TINY,
        "search.space.learning_rate=[1e-9, 3e-4]",
        "search.workers=1",
        f"data.cache_dir={cache_dir}",
        f"tracking.root={folder / 'mlruns'}",
    )
    settings = load_settings(ROOT / "conf.toml", "cpu", changes)
    with (folder / "output.txt").open("w", encoding="utf-8") as output:
        search(settings, EDGE_TRIALS, Console(file=output, width=200), force=False)
    store = open_store(settings.tracking)
    (study,) = find_runs(store, role="study")
    found = {(one["code"], one["subject"]) for one in read_json(store, study.id, "diagnosis.json")["findings"]}
    assert ("search.edge_of_space", "search.space.learning_rate") in found
    assert "search.edge_of_space" in (folder / "output.txt").read_text(encoding="utf-8")


@pytest.mark.long
def test_a_ranking_that_is_luck(cache_dir: Path) -> None:
    """Two trials whose rates differ by a billionth, against three seeds of one of them."""
    recipe = recipe_of(load_settings(ROOT / "conf.toml", "cpu", [*SMALL, f"data.cache_dir={cache_dir}"]))
    bank = build_bank(recipe, CPU, lambda _line: None)

    def score(**changes: float) -> float:
        changed = change(recipe, {name.replace("__", "."): value for name, value in changes.items()})
        *_, last = train(changed, bank, perceptual=None, device=CPU)
        assert last.scores is not None
        return last.scores.score

    seeds = tuple(score(training__seed=seed) for seed in range(3))
    trials = sorted((seeds[0], score(optimizer__learning_rate=2e-3 * (1 + 1e-9))), reverse=True)
    best = {name: getattr(recipe.losses, name) for name in LOSSES}
    study = StudyFacts(best, {}, num_trials=2, top_scores=tuple(trials), seed_scores={"same": seeds})
    assert [one.code for one in diagnose(Evidence(study=study)).findings] == ["search.noise_floor"]
