import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from search.page.next_step import LONGER, MORE_TRIALS, config_options, next_step
from search.preparation import Preparation
from search.promotion.comparison import Difference
from search.promotion.full_result import FullResult
from search.promotion.gate_record import GateRecord
from search.ranking import Row
from search.record import to_toml
from search.settings import Settings, load_settings
from search.study import study_name

Step = Callable[..., tuple[str, str]]
LEAD = Difference(mean=0.1, seed_interval=(-1.0, 1.0), clip_interval=(-1.0, 1.0), psnr_db=0.1)
CLOSED = GateRecord(0, "trial 1 seed_old", LEAD, ("a winner must beat the baselines",), False, {})
CONFIG = "--config '/my runs/artifacts/conf.toml'"


def row(psnr: float, state: str = "COMPLETE", name: str = "") -> Row:
    return Row(1, 0, name, state, {"score": 2 * psnr, "val/psnr": psnr}, {}, "run")


BEST, BASELINE = row(30.0), row(29.0, name="seed_old")


@pytest.fixture
def step(tiny: Callable[..., Settings], prepared_once: Preparation) -> Step:
    def make(
        *rows: Row,
        asked: int = 2,
        gate: GateRecord | None = None,
        full: FullResult | None = None,
        pruner: str = "none",
    ) -> tuple[str, str]:
        settings = tiny(f"search.pruner={pruner}")
        return next_step(settings, rows, prepared_once.yardsticks, Path("/my runs/artifacts"), asked, gate, full)

    return make


def test_the_best_settings_are_promoted(step: Step) -> None:
    assert step(BEST, BASELINE) == ("", f"python -m search.promote {CONFIG}")


def test_what_shows_no_picture_is_trained_a_little_longer(step: Step, tiny: Callable[..., Settings]) -> None:
    assert step(row(1.0))[0] == "the study has 1 of 2 trials"
    note, command = step(row(1.0), asked=1)
    assert note.startswith("no trial is better than a frame of one colour")
    steps = LONGER * tiny().training.steps
    assert command == f"python -m search.train --config '/my runs/artifacts/best.toml' --set training.steps={steps}"


def test_without_a_complete_score_the_study_goes_on_to_its_trials(step: Step) -> None:
    wanted = f"python -m search.run --trials 2 {CONFIG}"
    assert step() == ("the study has 0 of 2 trials", wanted)
    assert step(row(30.0, "PRUNED")) == ("the study has 1 of 2 trials", wanted)
    assert step(asked=0)[1] == f"python -m search.run --trials {MORE_TRIALS} {CONFIG}"


def changed(command: str) -> list[str]:
    """The settings that a command changes."""
    words = shlex.split(command)
    return [words[place + 1] for place, word in enumerate(words) if word == "--set"]


def test_a_study_whose_trials_all_diverged_is_followed_by_another_with_lower_rates(
    step: Step, tiny: Callable[..., Settings]
) -> None:
    diverged = replace(row(30.0, "PRUNED"), metrics={})
    note, command = step(diverged, diverged)
    assert note == "no trial has a score: another study with lower learning rates"
    assert command.startswith(f"python -m search.run --trials 2 {CONFIG} --set ")
    then = tiny(*changed(command))
    assert then.search.space.learning_rate == (3e-6, 3e-4)
    # The same study has all its trials already; this is another one, so the command does something.
    assert study_name(then, perceptual=True) != study_name(tiny(), perceptual=True)


def test_a_study_whose_trials_were_all_stopped_is_followed_by_another_without_a_pruner(
    step: Step, tiny: Callable[..., Settings]
) -> None:
    stopped = row(30.0, "PRUNED")
    note, command = step(stopped, stopped, pruner="asha")
    assert note == "every trial was stopped before its last step: another study without a pruner"
    assert changed(command) == ["search.pruner=none"]
    then, before = tiny(*changed(command)), tiny("search.pruner=asha")
    assert study_name(then, perceptual=True) != study_name(before, perceptual=True)
    assert step(stopped, stopped)[1] == f"python -m search.run --trials {2 + MORE_TRIALS} {CONFIG}"


def test_what_a_promotion_would_refuse_is_searched_first(step: Step) -> None:
    assert step(BEST, BASELINE, asked=5) == (
        "the study has 2 of 5 trials",
        f"python -m search.run --trials 5 {CONFIG}",
    )
    note, command = step(BASELINE, row(28.0, name="seed_new"))
    assert note.startswith("only baselines have a score")
    assert command == f"python -m search.run --trials {2 + MORE_TRIALS} {CONFIG}"


def test_without_baselines_the_best_settings_are_trained_in_full(step: Step, tiny: Callable[..., Settings]) -> None:
    note, command = step(BEST, asked=1)
    assert "nothing can be promoted" in note
    assert command.endswith(f"best.toml' --set training.steps={tiny().promotion.steps}")


def test_a_closed_gate_leads_back_to_the_search_and_a_forced_one_on(step: Step) -> None:
    note, command = step(BEST, BASELINE, gate=CLOSED)
    assert note == "the promotion was refused: search further"
    assert command.startswith(f"python -m search.run --trials {2 + MORE_TRIALS} ")
    note, command = step(BEST, BASELINE, gate=replace(CLOSED, forced=True))
    assert note.startswith("the promotion goes on")
    assert command == f"python -m search.promote {CONFIG} --force"
    opened = replace(CLOSED, reasons=())
    assert (
        step(row(1.0), asked=1, gate=opened)[1] == f"python -m search.promote {CONFIG}"
    )  # it was confirmed to be better


def test_after_the_full_run_its_weights_are_scored(step: Step) -> None:
    full = FullResult("full trial 4", 30, {}, {}, "taehv version 1", "", Path("/my runs/full/model"))
    note, command = step(BEST, BASELINE, gate=replace(CLOSED, forced=True), full=full)
    assert note == "the full run is done, registered as taehv version 1; score its weights again"
    weights, config = "'/my runs/full/model/model.safetensors'", "'/my runs/full/model/conf.toml'"
    assert command == f"python -m model.evaluate {weights} --config {config}"
    assert step(BEST, asked=5, full=full)[0] == "the study has 1 of 5 trials"


def test_settings_that_are_others_now_are_options(tiny: Callable[..., Settings], tmp_path: Path) -> None:
    config = tmp_path / "conf.toml"
    config.write_text(to_toml(tiny()))
    assert config_options(tiny(), config) == f"--config {config}"
    now = tiny("promotion.model=mine", "promotion.steps=40000", "search.startup_trials=3")
    words = config_options(now, config).replace("'", "").split()
    changes = [word for word in words[2:] if word != "--set"]
    assert changes == ["search.startup_trials=3", "promotion.steps=40000", 'promotion.model="mine"']
    assert load_settings(config, "cpu", changes) == now
