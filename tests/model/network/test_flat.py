import pytest
import torch
from torch import nn

from model.network.flat import FlatParameters


@pytest.fixture
def module() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 2, 1, bias=False)).to(memory_format=torch.channels_last)


def test_the_vector_and_the_parameters_are_the_same_memory(module: nn.Module) -> None:
    before = [weights.detach().clone() for weights in module.parameters()]
    flat = FlatParameters(module)
    for weights, value in zip(module.parameters(), before, strict=True):
        assert torch.equal(weights, value)
        assert weights.stride() == value.stride()
    with torch.no_grad():
        flat.values.mul_(2)
    for weights, value in zip(module.parameters(), before, strict=True):
        assert torch.equal(weights, 2 * value)
    module.load_state_dict({name: torch.zeros_like(value) for name, value in module.state_dict().items()})
    assert not flat.values.any()


def test_an_optimizer_of_the_vector_moves_the_parameters_as_one_of_them_would(module: nn.Module) -> None:
    reference = nn.Sequential(nn.Conv2d(2, 3, 3), nn.Conv2d(3, 2, 1, bias=False))
    reference.load_state_dict(module.state_dict())
    flat = FlatParameters(module)
    ours, theirs = (torch.optim.AdamW(values, 0.1, fused=True) for values in ([flat.values], reference.parameters()))
    for step in range(3):
        pictures = torch.randn(2, 2, 5, 5, generator=torch.Generator().manual_seed(step))
        flat.forget()
        theirs.zero_grad()
        module(pictures).square().sum().backward()
        flat.gather()
        ours.step()
        reference(pictures).square().sum().backward()
        theirs.step()
    torch.testing.assert_close(dict(module.state_dict()), dict(reference.state_dict()), rtol=1e-4, atol=1e-5)


def test_parameters_that_a_loss_does_not_reach(module: nn.Module) -> None:
    flat = FlatParameters(module)
    flat.gather()
    assert flat.values.grad is None
    module[1](torch.ones(1, 3, 2, 2)).sum().backward()  # the first layer has no part in it
    flat.gather()
    assert [bool(view.any()) for view in flat.views(flat.values.grad)] == [False, False, True]
    flat.forget()
    assert flat.values.grad is None
    assert all(weights.grad is None for weights in module.parameters())
