from collections import Counter
from collections.abc import Callable

import pytest
import torch

from model.bank import Bank
from model.recipe import Recipe
from model.training.batches import clip_indices, draw, frame_indices, take_batch
from model.training.state import replay_capacity


@pytest.mark.parametrize(("clips", "batch_size"), [(8, 2), (10, 4), (3, 8), (1, 1), (7, 7)])
def test_every_clip_is_seen_once_before_any_is_seen_again(clips: int, batch_size: int) -> None:
    order = torch.cat([clip_indices(step, clips, batch_size, seed=0) for step in range(3 * clips)]).tolist()
    for start in range(0, len(order) - clips + 1, clips):
        assert Counter(order[start : start + clips]) == Counter(range(clips))


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = [tuple(clip_indices(epoch, 50, 50, seed).tolist()) for seed in (0, 1, 2) for epoch in (0, 1, 2)]
    assert len(set(orders)) == 9


def test_the_order_does_not_depend_on_what_was_drawn_before() -> None:
    forward = [clip_indices(step, 10, 4, seed=3).tolist() for step in range(12)]
    backward = [clip_indices(step, 10, 4, seed=3).tolist() for step in reversed(range(12))]
    assert forward == backward[::-1]


def test_frames_are_different_ones_and_change_with_the_step() -> None:
    drawn = [tuple(frame_indices(step, 18, 6, seed=0).tolist()) for step in range(20)]
    assert all(len(set(frames)) == 6 and set(frames) <= set(range(18)) for frames in drawn)
    assert len(set(drawn)) == 20


def test_all_frames_are_taken_when_as_many_are_wanted() -> None:
    assert frame_indices(5, 18, 18, seed=0).tolist() == list(range(18))
    assert frame_indices(5, 18, 100, seed=0).tolist() == list(range(18))


def test_a_batch_is_the_banks_pixels_divided_by_255_once(recipe: Callable[..., Recipe], bank: Bank) -> None:
    batch = take_batch(bank, 5, recipe(), torch.device("cpu"))
    chosen = clip_indices(5, len(bank.training), 2, seed=0)
    assert batch.video.dtype == torch.float32
    assert torch.equal((batch.video * 255).round().to(torch.uint8), bank.training[chosen])
    assert 0.5 < batch.video.max() <= 1
    assert torch.equal(batch.latents, bank.training_latents[chosen])


def test_a_step_draws_the_same_whatever_was_drawn_before_and_another_seed_draws_otherwise(
    recipe: Callable[..., Recipe],
) -> None:
    first, again, other = draw(3, 8, 9, recipe()), draw(3, 8, 9, recipe()), draw(3, 8, 9, recipe("training.seed=1"))
    assert torch.equal(first.clips, again.clips)
    assert torch.equal(first.critic.replayed, again.critic.replayed)
    assert not torch.equal(first.clips, other.clips)
    assert len(first.critic.is_fake) == 2 * 3  # two clips of nine frames in groups of three
    assert first.critic.written.tolist() == list(range(18, 24))


def test_the_rows_of_the_ring_are_as_many_as_its_cap_allows(recipe: Callable[..., Recipe]) -> None:
    row_bytes = 4 * (9 * 16 * 16 + 16 * 2 * 2)
    assert replay_capacity(recipe("losses.replay_mib=1")) == 2**20 // row_bytes
