import numpy as np
import pytest
import torch

from model.network.replay import CriticDraws, ReplayRing, draw_for_critic, ring_capacity

CPU = torch.device("cpu")
PIXEL = (1, 1, 1)


def numbered(first: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Fakes 1x1x1 with the numbers first, first + 1, ...; a context that is their negative."""
    fake = torch.arange(first, first + count, dtype=torch.float32).view(-1, 1, 1, 1)
    return fake, -fake


def ring(rows: int) -> ReplayRing:
    return ReplayRing(8 * rows, PIXEL, PIXEL, CPU)  # a row of such a fake and its context takes 8 bytes


def draws(step: int, samples: int, capacity: int) -> CriticDraws:
    return draw_for_critic(step, samples, capacity, np.random.default_rng((0, step)))


def test_the_ring_is_one_tensor_that_never_exceeds_its_bytes() -> None:
    small = ReplayRing(100, PIXEL, PIXEL, CPU)  # 12 rows of 8 bytes and 4 bytes over
    address = small.rows.data_ptr()
    for step in range(10):
        small.add(*numbered(7 * step, 7), draws(step, 7, small.capacity).written)
    assert (small.rows.shape, small.rows.nbytes, small.count) == ((12, 2), 96, 12)
    assert small.rows.data_ptr() == address


def test_fakes_stay_with_their_contexts_and_shapes() -> None:
    kept = ReplayRing(10_000, (3, 4, 4), (2, 1, 1), CPU)
    fake, context = torch.rand(5, 3, 4, 4), torch.rand(5, 2, 1, 1)
    kept.add(fake, context, torch.tensor([4, 2, 0, 1, 3]))
    drawn, drawn_context = kept.draw(torch.tensor([2, 2, 4]))
    assert torch.equal(drawn, fake[[1, 1, 0]])
    assert torch.equal(drawn_context, context[[1, 1, 0]])


def test_free_rows_come_first_and_a_batch_larger_than_the_ring_leaves_its_end() -> None:
    small = ring(4)
    assert draws(0, 3, 4).written.tolist() == [0, 1, 2]
    small.add(*numbered(0, 3), draws(0, 3, 4).written)
    assert small.rows[:, 0].tolist() == [0, 1, 2, 0]
    second = draws(1, 3, 4).written.tolist()
    assert second[0] == 3
    assert len(set(second)) == 3
    small.add(*numbered(10, 9), draws(1, 9, 4).written)
    assert sorted(small.rows[:, 0].tolist()) == [15, 16, 17, 18]


def test_eviction_is_uniform_over_distinct_rows() -> None:
    """Of 8 rows 2 are overwritten at a time; each must be hit about equally often: chi-square of 4000 writes."""
    written = torch.stack([draws(step, 2, 8).written for step in range(4, 2004)])
    assert (written[:, 0] != written[:, 1]).all()
    hits = torch.bincount(written.flatten(), minlength=8)
    assert hits.sum() == 4000
    chi_square = ((hits - 500.0) ** 2 / 500).sum()
    assert chi_square < 24.3  # 99.9 % point at 7 degrees of freedom


def test_all_filled_rows_are_drawn_and_no_others() -> None:
    drawn = [set(draws(step, 4, 100).replayed.tolist()) for step in range(20)]
    assert all(rows <= set(range(4 * (step + 1))) for step, rows in enumerate(drawn))
    assert set().union(*(set(draws(step, 4, 8).replayed.tolist()) for step in range(2, 60))) == set(range(8))


def test_coins_are_fair_and_a_step_draws_the_same_whatever_came_before() -> None:
    coins = torch.cat([draws(step, 50, 10).is_fake for step in range(200)])
    assert coins.dtype == torch.bool
    assert 0.48 < coins.float().mean() < 0.52  # 4 standard deviations of 10,000 coins
    assert all(
        torch.equal(getattr(draws(7, 6, 8), name), getattr(draws(7, 6, 8), name)) for name in ("written", "replayed")
    )
    assert not torch.equal(draws(7, 50, 8).is_fake, draws(8, 50, 8).is_fake)


def test_a_cap_below_one_sample_is_refused() -> None:
    assert ring_capacity(100, (2, 1, 1), PIXEL) == 8
    with pytest.raises(ValueError, match=r"at least one sample of .* MiB, but losses.replay_mib gives it"):
        ReplayRing(4, PIXEL, PIXEL, CPU)


def test_the_state_holds_the_filled_rows_only_and_comes_back() -> None:
    full = ring(100)
    full.add(*numbered(0, 3), torch.arange(3))
    state = full.state_dict()
    assert state["rows"].untyped_storage().nbytes() == 3 * 8
    restored = ring(100)
    restored.load_state_dict(state)
    assert restored.count == 3
    assert torch.equal(restored.rows, full.rows)
    with pytest.raises(ValueError, match=r"3 samples of the checkpoint, but losses.replay_mib allows 2"):
        ring(2).load_state_dict(state)
