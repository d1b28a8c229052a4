from dataclasses import replace

import pytest
import torch

from model.bank import Bank
from model.training.feed import RESIDENT_SHARE, fits, open_feed, state_place

CPU, CUDA = torch.device("cpu"), torch.device("cuda")
needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")


def test_on_the_cpu_it_is_the_bank_itself(bank: Bank) -> None:
    feed = open_feed(bank, 2, CPU)
    assert feed.clips is bank.training
    assert feed.latents is bank.training_latents
    indices = torch.tensor([5, 0])
    feed.prefetch(torch.tensor([1, 1]))
    assert feed.place(indices) is indices
    assert feed.wait_s == 0
    assert fits(bank, CPU, torch.float32)


def test_latents_take_another_type_only_when_asked_to(bank: Bank) -> None:
    feed = open_feed(bank, 2, CPU, latents_dtype=torch.bfloat16)
    assert feed.clips is bank.training
    assert torch.equal(feed.latents, bank.training_latents.to(torch.bfloat16))


@pytest.mark.parametrize("latents_dtype", [torch.float32, torch.bfloat16])
def test_both_forms_give_the_same_batches(bank: Bank, latents_dtype: torch.dtype) -> None:
    feeds = [open_feed(bank, 3, CPU, latents_dtype=latents_dtype, resident=resident) for resident in (True, False)]
    generator = torch.Generator().manual_seed(0)
    for step in range(6):
        indices = torch.randint(len(bank.training), (3,), generator=generator)
        places = [feed.place(indices) for feed in feeds]
        for name in ("clips", "latents"):
            resident, staged = (getattr(feed, name)[place] for feed, place in zip(feeds, places, strict=True))
            assert torch.equal(resident, staged), (step, name)


def test_they_say_how_much_lies_where(bank: Bank) -> None:
    """1024 clips of 6912 bytes with 192 latents: 6.75 MiB and 0.75 MiB; in bfloat16 0.375 MiB."""
    many = replace(bank, training=bank.training.repeat(128, 1, 1, 1, 1))
    many = replace(many, training_latents=bank.training_latents.repeat(128, 1, 1, 1, 1))
    assert state_place(many, CPU, torch.float32) == "bank: training reads 7.5 MiB in memory"
    assert state_place(many, CPU, torch.bfloat16) == "bank: training reads 7.1 MiB in memory"


@pytest.mark.gpu
@needs_cuda
def test_a_resident_bank_takes_the_memory_that_was_stated(bank: Bank) -> None:
    """74 MiB, of them 8 for latents: a second copy, or one in float32, would be seen."""
    clips = bank.training.repeat(1250, 1, 1, 1, 1)
    many = replace(bank, training=clips, training_latents=torch.randn(10_000, 3, 16, 3, 3))
    stated = clips.nbytes + many.training_latents.numel() * 2
    torch.cuda.synchronize()
    torch.cuda.empty_cache()
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    feed = open_feed(many, 16, CUDA, latents_dtype=torch.bfloat16, resident=True)
    assert torch.cuda.max_memory_allocated() - before == pytest.approx(stated, rel=0.1)
    assert torch.equal(feed.clips.cpu(), clips)
    assert torch.equal(feed.latents.cpu(), many.training_latents.to(torch.bfloat16))
    assert state_place(many, CUDA, torch.bfloat16) == "bank: training reads 74.2 MiB on the GPU"
    on_device = replace(many, training=feed.clips, training_latents=feed.latents)
    assert open_feed(on_device, 16, CUDA, latents_dtype=torch.bfloat16).clips is feed.clips


@pytest.mark.gpu
@needs_cuda
def test_a_bank_is_resident_up_to_its_share_of_the_free_memory(bank: Bank) -> None:
    free = torch.cuda.mem_get_info()[0]
    shape = bank.training.shape[1:]
    count = int(free * RESIDENT_SHARE) // shape.numel()
    # Clips that take no memory here: one, expanded.
    few, many = (
        replace(bank, training=bank.training[:1].expand(number, *shape))
        for number in (count * 9 // 10, count * 11 // 10)
    )
    assert fits(few, CUDA, torch.float32)
    assert not fits(many, CUDA, torch.float32)
    assert state_place(few, CUDA, torch.float32).endswith("on the GPU")
    assert "in pinned memory, prefetched: more than 25% of" in state_place(many, CUDA, torch.float32)
