import pytest
import torch
from torch import nn

from model.training.average import average_decay, start_average, update_average


@pytest.mark.parametrize(
    ("step", "horizon", "share", "expected"),
    [
        (1, 1000, 0.05, 0.1),  # 1 / 10
        (11, 1000, 0.05, 0.55),  # 11 / 20
        (441, 1000, 0.05, 0.98),  # 441 / 450: the warm-up reaches the window of 50 steps
        (1000, 1000, 0.05, 0.98),
        (100_000, 100_000, 0.05, 0.9998),
        (500, 1000, 0.0, 0.0),
        (1, 1, 1.0, 0.0),  # a window of one step
    ],
)
def test_decay_is_hand_computed(step: int, horizon: int, share: float, expected: float) -> None:
    assert average_decay(step, horizon, share) == pytest.approx(expected, abs=1e-12)


def test_the_average_follows_the_stated_formula() -> None:
    model = nn.Conv2d(2, 3, 3)
    average = start_average(model)
    expected = {name: weights.double().clone() for name, weights in model.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    for step in range(1, 30):
        for weights in model.parameters():
            weights.data += 0.1 * torch.randn(weights.shape, generator=generator)
        decay = average_decay(step, 100, 0.1)
        update_average(list(average.parameters()), list(model.parameters()), decay)
        for name, weights in model.state_dict().items():
            expected[name] = decay * expected[name] + (1 - decay) * weights.double()
    for name, weights in average.state_dict().items():
        assert weights.dtype == torch.float32
        torch.testing.assert_close(weights.double(), expected[name], rtol=0, atol=1e-6)


def test_share_zero_is_the_raw_weights() -> None:
    model, other = nn.Linear(3, 2), nn.Linear(3, 2)
    average = start_average(other)
    update_average(list(average.parameters()), list(model.parameters()), average_decay(7, 100, 0.0))
    assert all(torch.equal(ours, theirs) for ours, theirs in zip(average.parameters(), model.parameters(), strict=True))


def test_the_average_takes_no_gradient_and_shares_no_memory() -> None:
    model = nn.Linear(3, 2)
    average = start_average(model)
    assert not any(weights.requires_grad for weights in average.parameters())
    assert all(weights.requires_grad for weights in model.parameters())
    model.weight.data.zero_()
    assert average.weight.abs().sum() > 0
