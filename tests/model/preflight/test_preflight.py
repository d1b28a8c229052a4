from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn

import pytest
import torch

from model.bank import Bank
from model.preflight.preflight import for_trial, run_preflight
from model.preflight.report import Preflight
from model.recipe import Recipe
from model.training.settings import LOSSES

CPU = torch.device("cpu")


def run(settings: Recipe, bank: Bank) -> Preflight:
    return run_preflight(settings, bank, None, CPU, lambda _line: None)


@pytest.fixture(scope="session")
def sound(recipe: Callable[..., Recipe], bank: Bank) -> Preflight:
    return run(recipe("training.batch_size=4"), bank)


def test_a_sound_training_measures_as_one(sound: Preflight) -> None:
    assert 0.9 < sound.training_input.range.maximum <= 1
    assert 0.9 < sound.evaluation_input.range.maximum <= 1
    assert [loss.error for loss in sound.losses.values()] == [None] * len(LOSSES)
    assert sound.reference.repeat_difference < 1e-4
    assert sound.start is None
    assert sound.fit is not None
    assert sound.fit.change > 0.01
    assert (sound.shared, sound.num_shared) == ((), 0)
    assert sound.seconds > 0


def test_it_says_what_it_does_and_leaves_no_trace(recipe: Callable[..., Recipe], bank: Bank) -> None:
    torch.manual_seed(3)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    clips, latents = bank.training.clone(), bank.training_latents.clone()
    lines: list[str] = []
    run_preflight(recipe(), bank, None, CPU, lines.append)
    assert lines == [
        "preflight: measuring what enters the model, what the losses pull towards, the reference, a short fit"
    ]
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
    assert torch.equal(bank.training, clips)
    assert torch.equal(bank.training_latents, latents)


def test_the_same_settings_measure_the_same(sound: Preflight, recipe: Callable[..., Recipe], bank: Bank) -> None:
    assert replace(run(recipe("training.batch_size=4"), bank), seconds=sound.seconds) == sound


def test_a_broken_loss_is_reported_and_nothing_is_fitted_with_it(
    recipe: Callable[..., Recipe], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raising(*_arguments: object) -> NoReturn:
        raise TypeError("planted")

    monkeypatch.setattr("model.training.losses.seraena_loss", raising)
    found = run(recipe(), bank)
    assert found.losses["seraena"].error == "TypeError: planted"
    assert found.fit is None
    assert found.training_input.range.maximum > 0.5


def test_at_most_twenty_shared_files_are_listed_and_all_are_counted(recipe: Callable[..., Recipe], bank: Bank) -> None:
    rows = [
        {"name": f"{side} {number}", "side": side, "sha256": str(number), "source": f"{side} {number}"}
        for number in range(25)
        for side in ("training", "validation")
    ]
    found = run(recipe(), replace(bank, facts=bank.facts | {"manifest": rows}))
    assert (len(found.shared), found.num_shared) == (20, 25)


def test_a_trial_has_its_own_weights_and_schedule(sound: Preflight, recipe: Callable[..., Recipe]) -> None:
    trial = recipe("losses.encoder=0.5", "losses.seraena=0", "schedule.kind=constant_with_warmup", "training.steps=100")
    found = for_trial(sound, trial)
    assert found.losses["encoder"].gradient_norm == pytest.approx(0.5 * (sound.losses["encoder"].gradient_norm or 0))
    assert (found.losses["encoder"].weight, found.losses["encoder"].value) == (0.5, sound.losses["encoder"].value)
    assert (found.losses["seraena"].weight, found.losses["seraena"].gradient_norm) == (0, None)
    assert found.losses["decoder"] == sound.losses["decoder"]
    assert (found.schedule.horizon, found.schedule.warmup_share) == (100, pytest.approx(0.04))
    assert found.fit == sound.fit
