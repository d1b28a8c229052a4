import contextlib
import gc
import weakref

import pytest
import torch

from model.training.fetching import Fetching, lock, unlock, whole_pages

CUDA = torch.device("cuda")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
PAGE_BYTES = 4096


def test_memory_that_can_be_locked_alone_begins_with_a_page() -> None:
    like = torch.zeros(5, 3)
    memory = [whole_pages(like, torch.bfloat16) for _ in range(3)]
    assert all(tensor.data_ptr() % PAGE_BYTES == 0 for tensor in memory)
    assert {(tensor.shape, tensor.dtype) for tensor in memory} == {((5, 3), torch.bfloat16)}
    for value, tensor in enumerate(memory):
        tensor.fill_(value)
    assert [tensor.unique().tolist() for tensor in memory] == [[0], [1], [2]]


@pytest.mark.gpu
@needs_cuda
def test_pages_are_locked_all_or_none() -> None:
    first, second = (whole_pages(torch.zeros(PAGE_BYTES), torch.float32) for _ in range(2))
    lock(second)
    with pytest.raises(RuntimeError, match="CUDA cannot lock 16384 bytes"):
        lock(first, second)  # one that is locked cannot be locked again
    with contextlib.suppress(RuntimeError):
        torch.ones(1, device=CUDA)  # CUDA keeps the error for whoever comes next
    assert not first.is_pinned()
    unlock(second)
    assert not second.is_pinned()


@pytest.mark.gpu
@needs_cuda
def test_copies_wait_for_the_release_and_readers_for_the_copies() -> None:
    """A reader is queued behind a long sleep, the copy behind the reader, and a second reader behind the copy."""
    source = whole_pages(torch.zeros(2**20), torch.float32).fill_(2)
    place = torch.ones(2**20, device=CUDA)
    fetching = Fetching(place.device, source)
    torch.cuda._sleep(50_000_000)
    before = place.clone()
    fetching.release(0)
    with fetching.into(0):
        place.copy_(source, non_blocking=True)
    fetching.await_half(0)
    after = place.clone()
    assert (before == 1).all()
    assert (after == 2).all()
    torch.cuda.synchronize()
    assert fetching.wait_s > 0


@pytest.mark.gpu
@needs_cuda
def test_nothing_keeps_it_alive() -> None:
    fetching = Fetching(torch.device("cuda", 0), whole_pages(torch.zeros(8), torch.float32))
    gone = weakref.ref(fetching)
    del fetching
    gc.collect()
    assert gone() is None
