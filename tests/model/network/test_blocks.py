import torch
from torch import nn

from model.network.blocks import MemoryBlock, SoftClamp, SuperMemoryBlock, TimeGrow, TimePool


def test_soft_clamp_is_the_identity_near_zero_and_three_at_most() -> None:
    values = torch.tensor([0.01, 3.0, 100.0])
    expected = torch.tensor([0.01, 3 * 0.76159416, 3.0])  # 3 tanh(1) = 2.2848
    torch.testing.assert_close(SoftClamp()(values), expected, atol=1e-6, rtol=1e-5)


def test_memory_blocks_without_branch_pass_the_present_on() -> None:
    present, past = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    for block, expected in ((MemoryBlock(3), present.clamp_min(0)), (SuperMemoryBlock(3), present)):
        for parameter in block.parameters():
            nn.init.zeros_(parameter)
        torch.testing.assert_close(block(present, past), expected)


def test_memory_blocks_see_the_past() -> None:
    torch.manual_seed(0)
    present = torch.randn(1, 3, 4, 4)
    for block in (MemoryBlock(3), SuperMemoryBlock(3)):
        assert not torch.equal(block(present, torch.zeros_like(present)), block(present, torch.ones_like(present)))


def test_time_pool_takes_neighbouring_frames_and_time_grow_gives_them_back() -> None:
    frames = torch.arange(8.0).view(8, 1, 1, 1)  # two clips of four frames
    pool, grow = TimePool(1, 2), TimeGrow(1, 2)
    nn.init.ones_(pool.conv.weight)
    assert pool(frames).flatten().tolist() == [1, 5, 9, 13]
    with torch.no_grad():
        grow.conv.weight.copy_(torch.tensor([1.0, 10.0]).view(2, 1, 1, 1))
    assert grow(frames[:2]).flatten().tolist() == [0, 0, 1, 10]
