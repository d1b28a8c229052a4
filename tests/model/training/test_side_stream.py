import pytest
import torch

from model.training.side_stream import SideStream


def test_without_a_gpu_work_runs_in_its_turn() -> None:
    side, done = SideStream(), []
    side.open(torch.device("cpu"))
    with side.beside():
        done.append("beside")
    side.rejoin()
    done.append("after")
    assert done == ["beside", "after"]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_work_beside_sees_what_came_before_and_is_seen_after() -> None:
    side, cuda = SideStream(), torch.device("cuda")
    with side.beside():
        assert torch.cuda.current_stream() == torch.cuda.default_stream()  # not opened yet
    side.open(cuda)
    for size in (4000, 4001):
        before = torch.ones(size, size, device=cuda) @ torch.ones(size, size, device=cuda)
        with side.beside():
            assert torch.cuda.current_stream() != torch.cuda.default_stream()
            beside = before @ torch.ones(size, 1, device=cuda)
        side.rejoin()
        assert beside.sum().item() == pytest.approx(size**3)
