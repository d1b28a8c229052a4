from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from model.evaluation.perceptual import Perceptual
from model.network.replay import draw_for_critic
from model.training.batches import Batch
from model.training.perceptual_loss import compare_frames, describe_targets, perceptual_loss


@pytest.fixture
def batch() -> Batch:
    """Two clips of nine grey frames, of which 0, 4 and 17 are looked at."""
    return Batch(
        video=torch.full((2, 9, 3, 32, 32), 0.5),
        latents=torch.ones(2, 3, 16, 4, 4),
        perceptual_frames=torch.tensor([0, 4, 17]),
        critic=draw_for_critic(0, 2, 1, np.random.default_rng(0)),
    )


def noisy(batch: Batch) -> Tensor:
    noise = torch.rand(batch.video.shape, generator=torch.Generator().manual_seed(0))
    return (0.7 * batch.video + 0.3 * noise).requires_grad_()


def test_lpips_sees_the_chosen_frames_alone(batch: Batch, lpips: Perceptual) -> None:
    wanted = describe_targets(lpips, batch)
    reconstruction = batch.video.clone()
    reconstruction.flatten(0, 1)[[1, 2, 3, 5, 10, 16]] = 0.0
    assert perceptual_loss(lpips, reconstruction, batch, wanted, 1.0).item() == 0
    reconstruction.flatten(0, 1)[4] = 0.1
    (expected,) = lpips(reconstruction[:1, 4:5], batch.video[:1, 4:5]).flatten()
    loss = perceptual_loss(lpips, reconstruction.requires_grad_(), batch, wanted, 1.0)
    assert loss.item() == pytest.approx(expected.item() / 3, rel=1e-5)
    loss.backward()
    gradient = reconstruction.grad.flatten(0, 1).abs().sum((1, 2, 3))
    assert gradient.nonzero().flatten().tolist() == [4]


def test_value_and_gradient_are_those_of_the_whole_graph(batch: Batch, lpips: Perceptual) -> None:
    wanted, reconstruction = describe_targets(lpips, batch), noisy(batch)
    known = 3.0 * perceptual_loss(lpips, 2 * reconstruction, batch, wanted, 3.0)
    whole = 3.0 * compare_frames(lpips, 2 * reconstruction, batch, wanted)
    assert known.item() == whole.item() > 0
    (ours,), (theirs,) = (torch.autograd.grad(loss, reconstruction, retain_graph=True) for loss in (known, whole))
    assert float((ours - theirs).norm() / theirs.norm()) < 1e-4  # float32, summed in another order
    (again,) = torch.autograd.grad(known, reconstruction)  # probes ask for it more than once
    assert torch.equal(again, ours)


def test_without_weight_it_is_measured_but_has_no_gradient(batch: Batch, lpips: Perceptual) -> None:
    loss = perceptual_loss(lpips, noisy(batch), batch, describe_targets(lpips, batch), 0.0)
    assert loss > 0
    assert not loss.requires_grad


def test_what_was_compiled_is_used_instead(batch: Batch, lpips: Perceptual) -> None:
    calls: list[Callable] = []

    def compiled(*arguments: object) -> Tensor:
        calls.append(compiled)
        return compare_frames(*arguments)

    perceptual_loss(lpips, noisy(batch), batch, describe_targets(lpips, batch), 1.0, compiled)
    assert calls == [compiled]
