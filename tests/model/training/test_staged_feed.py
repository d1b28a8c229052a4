import gc

import pytest
import torch
from torch import Tensor

from model.bank import Bank
from model.training.feed import open_feed
from model.training.staged_feed import StagedFeed

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


@pytest.fixture
def feed(bank: Bank) -> StagedFeed:
    return StagedFeed(bank, 2, CPU, torch.float32)


def held(feed: StagedFeed, places: Tensor) -> tuple[Tensor, Tensor]:
    return feed.clips[places].clone(), feed.latents[places].clone()


def test_two_halves_are_used_in_turn_and_never_moved(feed: StagedFeed, bank: Bank) -> None:
    assert (len(feed.clips), len(feed.latents)) == (4, 4)
    addresses = feed.clips.data_ptr(), feed.latents.data_ptr()
    for step, places in enumerate(([0, 1], [2, 3], [0, 1])):
        indices = torch.tensor([step, 7 - step])
        placed = feed.place(indices)
        assert placed.dtype == torch.int64
        assert placed.tolist() == places
        assert torch.equal(feed.clips[placed], bank.training[indices])
        assert torch.equal(feed.latents[placed], bank.training_latents[indices])
    assert (feed.clips.data_ptr(), feed.latents.data_ptr()) == addresses


def test_prefetching_leaves_what_training_reads(feed: StagedFeed, bank: Bank) -> None:
    places = feed.place(torch.tensor([3, 4]))
    feed.prefetch(torch.tensor([5, 6]))
    assert torch.equal(feed.clips[places], bank.training[[3, 4]])
    assert torch.equal(feed.clips[2:], bank.training[[5, 6]])


def test_what_was_prefetched_is_found_without_waiting(feed: StagedFeed, bank: Bank) -> None:
    indices = torch.tensor([5, 6])
    feed.prefetch(indices)
    # Planted: a place that copied again would undo it.
    feed.clips[:2] = 7
    places = feed.place(indices)
    assert (feed.clips[places] == 7).all()
    assert feed.wait_s == 0
    # What was given out once is no prefetch of the next batch, even of the same clips.
    places = feed.place(indices)
    assert torch.equal(feed.clips[places], bank.training[indices])
    assert feed.wait_s > 0


def test_another_batch_than_the_prefetched_one_is_fetched_now(feed: StagedFeed, bank: Bank) -> None:
    wanted = torch.tensor([0, 1])
    for other in (torch.tensor([1, 0]), torch.tensor([0]), torch.tensor([0, 2])):
        before = feed.wait_s
        feed.prefetch(other)
        places = feed.place(wanted)
        assert torch.equal(feed.clips[places], bank.training[wanted])
        assert feed.wait_s > before


def test_the_indices_may_be_changed_after_prefetching(feed: StagedFeed, bank: Bank) -> None:
    indices = torch.tensor([0, 1])
    feed.prefetch(indices)
    indices[0] = 5
    places = feed.place(indices)
    assert torch.equal(feed.clips[places], bank.training[[5, 1]])


def test_a_smaller_batch_may_be_placed_and_a_larger_one_not(feed: StagedFeed, bank: Bank) -> None:
    assert feed.place(torch.tensor([6])).tolist() == [0]
    assert feed.place(torch.tensor([6])).tolist() == [2]
    with pytest.raises(AssertionError, match="3 clips, but there is room for 2"):
        feed.place(torch.tensor([0, 1, 2]))


@pytest.mark.gpu
@needs_cuda
def test_on_cuda_no_half_is_overwritten_while_queued_work_reads_it(bank: Bank) -> None:
    """The host runs ahead: each read is queued behind millions of cycles, and all prefetching is done before the first ends."""
    feed = open_feed(bank, 2, CUDA, resident=False)
    batches = [torch.tensor([step % 8, (3 * step + 1) % 8]) for step in range(12)]
    seen = []
    feed.prefetch(batches[0])
    for step, indices in enumerate(batches):
        places = feed.place(indices).to(CUDA, non_blocking=True)
        if step + 1 < len(batches):
            feed.prefetch(batches[step + 1])
        torch.cuda._sleep(20_000_000)
        seen.append((feed.clips[places], feed.latents[places]))
    for indices, (clips, latents) in zip(batches, seen, strict=True):
        assert torch.equal(clips.cpu(), bank.training[indices])
        assert torch.equal(latents.cpu(), bank.training_latents[indices])
    torch.cuda.synchronize()
    assert 0 <= feed.wait_s < 1


@pytest.mark.gpu
@needs_cuda
def test_a_captured_graph_reads_what_was_placed(bank: Bank) -> None:
    feed = open_feed(bank, 2, CUDA, resident=False, latents_dtype=torch.bfloat16)
    places, clips = torch.zeros(2, dtype=torch.int64, device=CUDA), torch.zeros(2, *feed.clips.shape[1:], device=CUDA)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        clips.copy_(feed.clips[places])
    for step in range(5):
        indices = torch.tensor([step, 7 - step])
        places.copy_(feed.place(indices))
        feed.prefetch(torch.tensor([step + 1, 6 - step]))
        graph.replay()
        assert torch.equal(clips.cpu(), bank.training[indices].float())


@pytest.mark.gpu
@needs_cuda
def test_its_memory_is_locked_as_long_as_it_lives(bank: Bank) -> None:
    feed = open_feed(bank, 2, CUDA, resident=False)
    assert isinstance(feed, StagedFeed)
    clips = feed.bank_clips
    assert clips.is_pinned()
    del feed
    gc.collect()
    assert not clips.is_pinned()
