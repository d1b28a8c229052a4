from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from model.training.device_update import (
    AdamW,
    Vector,
    finish_step,
    move,
    settings_of,
    start_moments,
    start_readings,
    vector_of,
)

CPU = torch.device("cpu")
SETTINGS = AdamW(beta1=0.9, beta2=0.99, weight_decay=0.05, epsilon=1e-8)


class Numbers:
    """Controls of one step, given as they are."""

    def __init__(self, step: int, bound: float) -> None:
        self.step, self.max_gradient_norm = torch.tensor(step), torch.tensor(bound)
        self.learning_rate, self.critic_learning_rate = torch.tensor(0.01), torch.tensor(0.02)
        self.corrections = self.critic_corrections = corrections(step)
        self.joining = torch.tensor(0.25)


def corrections(step: int) -> Tensor:
    return torch.tensor([1 - SETTINGS.beta1**step, 1 - SETTINGS.beta2**step])


def gradients() -> Iterator[Tensor]:
    """Of sizes from 1e-6 to 1, as a loss with a small weight has them beside one with a large weight."""
    generator = torch.Generator().manual_seed(0)
    while True:
        yield torch.randn(50, generator=generator) * torch.logspace(-6, 0, 50)


def optimizer_of(weights: nn.Parameter) -> torch.optim.AdamW:
    return torch.optim.AdamW([weights], lr=0.01, betas=(0.9, 0.99), weight_decay=0.05, fused=True)


def started(optimizer: torch.optim.AdamW, weights: nn.Parameter, gradient: Tensor) -> Vector:
    start_moments(optimizer)
    weights.grad = gradient
    vector = vector_of(optimizer, weights, weights.detach().clone())
    assert vector is not None
    return vector


def test_it_is_torchs_own_adamw_step_by_step() -> None:
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 50)) for _ in range(2))
    optimizers = [optimizer_of(weights) for weights in (ours, theirs)]
    assert settings_of(optimizers[0]) == SETTINGS
    for step, gradient in zip(range(1, 30), gradients(), strict=False):
        vector = started(optimizers[0], ours, gradient.clone())
        with torch.no_grad():
            move(vector, None, torch.tensor(0.01), corrections(step), torch.tensor(True), SETTINGS)
        theirs.grad = gradient.clone()
        optimizers[1].step()
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    states = [optimizer.state[weights] for optimizer, weights in zip(optimizers, (ours, theirs), strict=True)]
    assert set(states[0]) == set(states[1])
    for name in states[0]:
        torch.testing.assert_close(states[0][name], states[1][name], rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("bound", [0.1, 100.0, torch.inf])
def test_a_step_clips_as_torch_does_joins_the_average_and_counts(bound: float) -> None:
    ours, theirs = (nn.Parameter(torch.linspace(-1, 1, 50)) for _ in range(2))
    optimizer, reference = optimizer_of(ours), optimizer_of(theirs)
    gradient = next(gradients())
    norm = gradient.norm()
    before, readings = ours.detach().clone(), start_readings(1, CPU)
    vector = started(optimizer, ours, gradient.clone())
    values = torch.stack([torch.tensor(0.5), torch.tensor(1.5), norm, torch.tensor(0.25)])
    finish_step(readings, values, Numbers(1, bound), [vector], [], (SETTINGS, SETTINGS))

    theirs.grad = gradient.clone()
    torch.nn.utils.clip_grads_with_norm_([theirs], bound, norm)
    reference.step()
    torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
    assert vector.average is not None
    torch.testing.assert_close(vector.average, 0.75 * before + 0.25 * ours.detach())
    assert readings.measured.tolist() == pytest.approx([0.5, 1.5, norm.item(), 0.25])
    assert (readings.clipped, readings.failed_step) == (int(norm > bound), 0)


@pytest.mark.parametrize("place", [0, 1, 2])
def test_from_the_first_value_that_is_not_finite_on_nothing_moves(place: int) -> None:
    weights = nn.Parameter(torch.ones(50))
    optimizer, readings = optimizer_of(weights), start_readings(1, CPU)
    good = torch.tensor([0.5, 1.5, 1.0, 0.25])
    bad = good.clone()
    bad[place] = torch.nan
    steps = (good, next(gradients())), (bad, torch.full((50,), torch.nan)), (good, torch.ones(50))
    kept: list[Tensor] = []
    for number, (values, gradient) in enumerate(steps, start=1):
        vector = started(optimizer, weights, gradient)
        finish_step(readings, values, Numbers(number, 1.0), [vector], [vector], (SETTINGS, SETTINGS))
        moving = [weights.detach(), vector.mean, vector.square, vector.steps]
        kept = kept or [tensor.clone() for tensor in moving]
    assert all(torch.equal(old, new) for old, new in zip(kept, moving, strict=True))
    assert readings.failed_step == 2
    torch.testing.assert_close(readings.measured, bad, equal_nan=True)
    readings.restart()
    assert (readings.failed_step, readings.clipped, readings.measured.abs().sum()) == (0, 0, 0)


def test_weights_without_a_gradient_have_no_vector() -> None:
    weights = nn.Parameter(torch.ones(3))
    optimizer = optimizer_of(weights)
    start_moments(optimizer)
    assert vector_of(optimizer, weights) is None


def test_moments_that_are_there_stay() -> None:
    weights = nn.Parameter(torch.ones(3))
    optimizer = optimizer_of(weights)
    weights.grad = torch.ones(3)
    optimizer.step()
    start_moments(optimizer)
    assert optimizer.state[weights]["step"] == 1


def test_it_can_be_traced_as_a_whole() -> None:
    compiled = torch.compile(finish_step, backend="aot_eager", fullgraph=True, dynamic=False)
    moved = []
    for finish in (finish_step, compiled):
        weights = nn.Parameter(torch.linspace(-1, 1, 50))
        optimizer, readings = optimizer_of(weights), start_readings(1, CPU)
        for step, gradient in zip((1, 2, 3), gradients(), strict=False):
            vector = started(optimizer, weights, gradient.clone())
            finish(readings, torch.ones(4), Numbers(step, 1.0), [vector], [vector], (SETTINGS, SETTINGS))
        moved.append(weights.detach())
    torch.testing.assert_close(*moved)
