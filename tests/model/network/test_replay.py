import pytest
import torch

from model.network.replay import ReplayRing


def numbered(first: int, count: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Fakes 1x1x1 with the numbers first, first + 1, ...; a context that is their negative."""
    fake = torch.arange(first, first + count, dtype=torch.float32).view(-1, 1, 1, 1)
    return fake, -fake


def test_the_ring_is_one_tensor_that_never_exceeds_its_bytes() -> None:
    ring, generator = ReplayRing(100), torch.Generator().manual_seed(0)  # 12 rows of 8 bytes and 4 bytes over
    for first in range(0, 70, 7):
        ring.add(*numbered(first, 7), generator)
        assert ring.rows.nbytes <= 100
    assert ring.rows.shape == (12, 2)
    assert ring.count == 12


def test_fakes_stay_with_their_contexts_and_shapes() -> None:
    ring, generator = ReplayRing(10_000), torch.Generator().manual_seed(0)
    fake, context = torch.rand(5, 3, 4, 4), torch.rand(5, 2, 1, 1)
    ring.add(fake, context, generator)
    drawn, drawn_context = ring.draw(fake[:4], context[:4], generator)
    assert (drawn.shape, drawn_context.shape) == ((4, 3, 4, 4), (4, 2, 1, 1))
    for one, its_context in zip(drawn, drawn_context, strict=True):
        index = next(i for i in range(5) if torch.equal(fake[i], one))
        assert torch.equal(context[index], its_context)


def test_free_rows_come_first_and_a_batch_larger_than_the_ring_leaves_its_end() -> None:
    ring, generator = ReplayRing(4 * 8), torch.Generator().manual_seed(0)
    ring.add(*numbered(0, 3), generator)
    assert sorted(ring.rows[:3, 0].tolist()) == [0, 1, 2]
    ring.add(*numbered(10, 9), generator)
    assert sorted(ring.rows[:, 0].tolist()) == [15, 16, 17, 18]


def test_eviction_is_uniform() -> None:
    """With one of 8 rows overwritten at a time, each row must be hit about equally often: chi-square of 4000 writes."""
    ring, generator = ReplayRing(8 * 8), torch.Generator().manual_seed(0)
    ring.add(*numbered(0, 8), generator)
    hits = torch.zeros(8)
    for number in range(8, 4008):
        before = ring.rows[:, 0].clone()
        ring.add(*numbered(number, 1), generator)
        hits += before != ring.rows[:, 0]
    assert hits.sum() == 4000
    chi_square = ((hits - 500) ** 2 / 500).sum()
    assert chi_square < 24.3  # 99.9 % point at 7 degrees of freedom


def test_all_stored_samples_are_drawn() -> None:
    ring, generator = ReplayRing(8 * 8), torch.Generator().manual_seed(0)
    ring.add(*numbered(0, 8), generator)
    drawn, _ = ring.draw(*numbered(0, 200), generator)
    assert set(drawn.flatten().tolist()) == set(range(8))


def test_a_cap_below_one_sample_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least one sample of .* MiB, but losses.replay_mib gives it"):
        ReplayRing(4).add(*numbered(0, 1), torch.Generator())


def test_the_state_holds_the_filled_rows_only_and_comes_back() -> None:
    ring, generator = ReplayRing(800), torch.Generator().manual_seed(0)
    ring.add(*numbered(0, 3), generator)
    state = ring.state_dict()
    assert state["rows"].untyped_storage().nbytes() == 3 * 8
    restored = ReplayRing(800)
    restored.load_state_dict(state, torch.device("cpu"))
    assert restored.count == 3
    assert torch.equal(restored.rows[:3], ring.rows[:3])
    assert restored.rows.shape == ring.rows.shape
    with pytest.raises(ValueError, match=r"3 samples of the checkpoint, but losses.replay_mib allows 2"):
        ReplayRing(16).load_state_dict(state, torch.device("cpu"))
