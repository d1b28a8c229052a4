from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from model.bank import Bank
from model.network.taehv import TAEHV
from model.network.weights import save_weights
from model.preflight.fit import RATE, RATE_FROM_WEIGHTS, STEPS, check_fit, fit_recipe
from model.preflight.report import FitCheck
from model.recipe import Recipe
from model.training.state import TrainState, start_state

CPU = torch.device("cpu")
#: The cpu profile's network and batch on the tiny clips.
HEALTHY = ("network.width=0.25", "training.batch_size=4")


def fit(settings: Recipe, bank: Bank, prepare: Callable[[TrainState], None] = lambda _state: None) -> FitCheck:
    state = start_state(settings, CPU)
    prepare(state)
    return check_fit(state, settings, bank, CPU)


def test_a_healthy_network_learns_one_batch(recipe: Callable[..., Recipe], bank: Bank) -> None:
    found = fit(recipe(*HEALTHY), bank)
    assert found.steps == STEPS
    assert found.last_loss < 0.8 * found.first_loss
    assert found.change > 0.01
    assert found.output_std > 0.2 * found.target_std > 0.01


def test_the_same_settings_fit_the_same_bit_for_bit(recipe: Callable[..., Recipe], bank: Bank) -> None:
    assert fit(recipe(), bank) == fit(recipe(), bank)


def test_an_optimizer_of_other_weights_moves_nothing(recipe: Callable[..., Recipe], bank: Bank) -> None:
    def lose_weights(state: TrainState) -> None:
        for group in state.optimizer.param_groups:
            group["params"] = [torch.zeros(1, requires_grad=True)]

    found = fit(recipe(), bank, lose_weights)
    assert found.change == 0
    assert found.last_loss == found.first_loss


def test_an_output_that_does_not_vary_shows(
    recipe: Callable[..., Recipe], bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    decode = TAEHV.decode
    monkeypatch.setattr(TAEHV, "decode", lambda self, latents: 0.45 + 0 * decode(self, latents))
    found = fit(recipe(), bank)
    assert found.output_std < 1e-6 < found.target_std
    assert found.last_loss == found.first_loss


def test_only_the_reconstruction_is_fitted_at_a_rate_for_few_steps(
    recipe: Callable[..., Recipe], tmp_path: Path
) -> None:
    settings = fit_recipe(recipe("losses.reconstruction=0.1", "schedule.kind=cosine", "optimizer.beta2=0.9"))
    weights = settings.losses
    assert (weights.encoder, weights.decoder, weights.reconstruction, weights.perceptual, weights.seraena) == (
        *(0, 0, 1),
        *(0, 0),
    )
    assert settings.schedule.kind == "constant"
    assert settings.optimizer.learning_rate == pytest.approx(RATE / settings.network.width)  # narrower, higher
    assert settings.optimizer.beta2 == 0.9
    path = tmp_path / "start.safetensors"
    save_weights(TAEHV(settings.network).state_dict(), path, {})
    assert fit_recipe(recipe(f"network.weights={path}")).optimizer.learning_rate == RATE_FROM_WEIGHTS
